public import Engine
import Glibc
import JSON
public import NodeKit
import OrderedCollections
import Synchronization
public import Tensors
import Workflow

/// Plans runs: carries a workflow out on a ``CountingBackend``, with the output nodes replaced by ones that save
/// nothing, and reports what was counted.
///
/// Nodes do their real work apart from the models' operations: pictures are read and resized, prompts are cut into
/// tokens, samplers take their steps. Values that come out of models are zeros; a workflow that decides by such values
/// may do something else when it runs.
public struct Planner: Sendable {
    public var registry: NodeRegistry
    public var files: any NodeFiles
    /// Type of the operands of matrix products in the run that is planned.
    public var precision: DType
    public var speed: MachineSpeed
    /// Nodes whose results are there from earlier runs.
    public var cached: Set<String>

    public init(
        registry: NodeRegistry, files: any NodeFiles, precision: DType, speed: MachineSpeed, cached: Set<String> = []
    ) {
        self.registry = registry
        self.files = files
        self.precision = precision
        self.speed = speed
        self.cached = cached
    }

    /// - Parameter prompt: a validated prompt; only what its outputs need is looked at.
    public func plan(_ prompt: ValidatedPrompt) async -> RunPlan {
        let whole = prompt.prompt
        let needed = neededNodes(whole, prompt.outputs)
        let dry = Self.withoutSaving(whole, prompt.outputs, needed)
        let sink = NodeDefinition(PlanSink.self, module: "plan")
        let dryRegistry = NodeRegistry([NodePack("plan", definitions: registry.definitions + [sink])])
        let backend = CountingBackend(precision: precision)
        let engine = GraphEngine(
            registry: dryRegistry, backend: backend, files: PlanFiles(files: files), cache: ResultCache(byteLimit: 0))
        let report = await engine.validate(dry)
        var plan = RunPlan(
            nodes: [], files: [], speed: speed, patchedBytes: 0, availableMemory: Self.availableMemory(), failure: nil)
        guard let validated = report.validated else {
            plan.failure = report.error.map { "\($0.message) \($0.details)" } ?? "the workflow cannot be planned"
            return plan
        }
        let meter = Meter(backend)
        let result = await engine.run(validated, options: RunOptions(promptID: "plan", parallelNodes: 1)) {
            meter.note($0)
        }
        if case .failed(let failure) = result.status { plan.failure = failure.description }
        let order = meter.order.isEmpty ? needed : meter.order
        let skipped = skippedNodes(whole, prompt.outputs)
        for id in order {
            guard let node = whole[id] else { continue }
            plan.nodes.append(describe(id, node, meter, isOutput: prompt.outputs.contains(id), skipped: skipped))
        }
        var seen: Set<String> = []
        for node in plan.nodes where !node.isSkipped && !node.isCached {
            plan.files += node.files.filter { seen.insert($0.path).inserted }
        }
        plan.patchedBytes = backend.patchedBytes
        return plan
    }

    private func describe(
        _ id: String, _ node: PromptNode, _ meter: Meter, isOutput: Bool, skipped: Set<String>
    ) -> RunPlan.Node {
        let measured = meter.measured(id)
        let isCached = cached.contains(id)
        let isIdle = isCached || skipped.contains(id)
        return RunPlan.Node(
            id: id, classType: node.classType,
            title: node.title ?? registry[node.classType]?.schema.displayName ?? node.classType,
            sources: node.inputs.values.compactMap(\.link?.node), isOutput: isOutput, isCached: isCached,
            isSkipped: skipped.contains(id), files: opened(by: node), work: isIdle ? CountedWork() : measured.work,
            seconds: isIdle ? 0 : speed.seconds(measured.work) + measured.seconds,
            memory: isIdle ? 0 : measured.memory)
    }

    /// The nodes that the outputs need, every one after what feeds it.
    private func neededNodes(_ prompt: Prompt, _ outputs: [String]) -> [String] {
        var order: [String] = []
        var seen: Set<String> = []
        for output in outputs where seen.insert(output).inserted {
            var path: [(id: String, sources: ArraySlice<String>)] = [(output, sources(of: output, prompt))]
            while let last = path.indices.last {
                guard let next = path[last].sources.popFirst() else {
                    order.append(path.removeLast().id)
                    continue
                }
                if prompt[next] != nil, seen.insert(next).inserted { path.append((next, sources(of: next, prompt))) }
            }
        }
        return order
    }

    private func sources(of id: String, _ prompt: Prompt) -> ArraySlice<String> {
        (prompt[id]?.inputs.values.compactMap(\.link?.node) ?? [])[...]
    }

    /// Nodes that only cached nodes need.
    private func skippedNodes(_ prompt: Prompt, _ outputs: [String]) -> Set<String> {
        guard !cached.isEmpty else { return [] }
        var reached: Set<String> = []
        var stack = outputs
        while let id = stack.popLast() {
            guard reached.insert(id).inserted, !cached.contains(id) else { continue }
            stack += sources(of: id, prompt)
        }
        return Set(neededNodes(prompt, outputs)).subtracting(reached)
    }

    /// The prompt with output nodes that nothing uses replaced by sinks.
    private static func withoutSaving(_ prompt: Prompt, _ outputs: [String], _ needed: [String]) -> Prompt {
        let isNeeded = Set(needed)
        let used = Set(needed.flatMap { prompt[$0]?.inputs.values.compactMap(\.link?.node) ?? [] })
        var result = Prompt()
        for (id, node) in prompt.nodes where isNeeded.contains(id) {
            result.nodes[id] = node
            guard outputs.contains(id), !used.contains(id) else { continue }
            let links = node.inputs.filter { $0.value.link != nil }
            result.nodes[id] = PromptNode(classType: PlanSink.classType, title: node.title, inputs: links)
        }
        return result
    }

    /// The files that a node's inputs name.
    private func opened(by node: PromptNode) -> [RunPlan.File] {
        guard let schema = registry[node.classType]?.schema else { return [] }
        var found: [RunPlan.File] = []
        for input in schema.inputs {
            guard case .choice(let choices) = input.kind, let name = node.inputs[input.name]?.literal?.stringValue
            else {
                continue
            }
            let path: String?
            switch choices {
            case .fixed: continue
            case .files(let folder, let extra): path = extra.contains(name) ? nil : try? files.model(folder, name)
            case .inputImages: path = try? files.input(name)
            }
            guard let path else { continue }
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { continue }
            found.append(RunPlan.File(path: path, bytes: Int(status.st_size)))
        }
        return found
    }

    /// Memory that the system says could be had without swapping.
    private static func availableMemory() -> Int? {
        guard let file = unsafe fopen("/proc/meminfo", "re") else { return nil }
        defer { unsafe _ = fclose(file) }
        var line = [CChar](repeating: 0, count: 200)
        while unsafe fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("MemAvailable:"), let kilobytes = Int(text.filter(\.isNumber)) else { continue }
            return kilobytes << 10
        }
        return nil
    }
}

/// Tells from a run's events which node counted work belongs to.
private final class Meter: Sendable {
    struct Measured {
        var work = CountedWork()
        /// Time that the node's own code took.
        var seconds = 0.0
        var memory = 0
    }

    private struct State {
        var measured: [String: Measured] = [:]
        var order: [String] = []
        var running: [String] = []
        var last = CountedWork()
    }

    private let backend: CountingBackend
    private let state = Mutex(State())

    init(_ backend: CountingBackend) { self.backend = backend }

    var order: [String] { state.withLock { $0.order } }
    func measured(_ id: String) -> Measured { state.withLock { $0.measured[id] ?? Measured() } }

    func note(_ event: EngineEvent) {
        let work = backend.work
        let peak = backend.ledger.takePeak()
        state.withLock { state in
            // What was done since the last event belongs to the node that began last.
            if let current = state.running.last {
                state.measured[current, default: Measured()].work += work - state.last
                state.measured[current, default: Measured()].memory = max(
                    state.measured[current]?.memory ?? 0, peak)
            }
            state.last = work
            switch event.kind {
            case .executing(let node):
                let id = node.realID
                if state.measured[id] == nil {
                    state.order.append(id)
                    state.measured[id] = Measured()
                }
                state.running.append(id)
            case .nodeFinished(let node, let seconds):
                if let place = state.running.lastIndex(of: node.realID) { state.running.remove(at: place) }
                state.measured[node.realID, default: Measured()].seconds += seconds
            default: break
            }
        }
    }
}
