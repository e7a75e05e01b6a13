import JSON
import NodeKit
import Tensors
import Workflow

/// The state of one run. Confined to the task that runs it; nodes get copies of what they need.
struct GraphRun {
    let plan: ValidatedPrompt
    let environment: RunEnvironment
    private var keys: [KeyState]
    /// Results that were there before the node's turn came.
    private var cached: [Int: NodeResult] = [:]
    private var list: ExecutionList
    /// Results of finished nodes that others still need.
    private var values: [Int: [[any NodeValue]]] = [:]
    /// How many nodes that have not finished use a node's values.
    private var uses: [Int]
    private var result = RunResult()

    private var graph: Graph { plan.graph }

    init(_ plan: ValidatedPrompt, _ environment: RunEnvironment) {
        self.plan = plan
        self.environment = environment
        keys = Array(repeating: .open, count: plan.graph.nodes.count)
        list = ExecutionList(count: plan.graph.nodes.count)
        uses = Array(repeating: 0, count: plan.graph.nodes.count)
    }

    consuming func run() async -> RunResult {
        environment.emit(.executionStart)
        for node in graph.order {
            resolveKey(node)
            cached[node] = lookUp(node)
        }
        for node in graph.nodes.indices {
            guard let held = cached[node] else { continue }
            result.cached.append(graph.nodes[node].id)
            report(held, of: node)
        }
        environment.emit(.executionCached(nodes: result.cached))
        plan.roots.forEach { schedule($0) }
        // Of the results found, only those stay in memory that a node to run needs.
        cached = cached.filter { list.contains($0.key) }
        list.start()
        await runAll()
        return result
    }

    // MARK: Planning

    /// Puts an output and what it needs into the list, as far as there are no results yet.
    private mutating func schedule(_ root: Int) {
        var stack = [root]
        while let node = stack.popLast() {
            if list.contains(node) { continue }
            list.add(node, isOutput: graph.nodes[node].schema.isOutput)
            if cached[node] != nil { continue }
            for source in graph.nodes[node].sources {
                uses[source] += 1
                if let held = cached[source] {
                    values[source] = held.outputs
                } else {
                    list.block(node, on: source)
                    stack.append(source)
                }
            }
        }
    }

    // MARK: Running

    private mutating func runAll() async {
        while let node = list.take() {
            if await run(node) { continue }
            return
        }
        if list.remaining > 0, let node = list.stuck.first {
            return fail(node, nil, NodeError("Dependency cycle detected: the node waits for its own result"))
        }
        environment.work?.succeeded()
        environment.emit(.executionSuccess)
    }

    /// Runs one node, or takes its result from the cache.
    ///
    /// - Returns: whether the run goes on.
    private mutating func run(_ node: Int) async -> Bool {
        let id = graph.nodes[node].id
        if let held = cached.removeValue(forKey: node) {
            environment.emit(.executed(node: id, displayNode: id, output: held.ui))
            list.finish(node)
            return true
        }
        if case .open = keys[node] { resolveKey(node) }
        // Twins share a result: the first of them has stored it by now.
        if let held = lookUp(node) {
            environment.emit(.executed(node: id, displayNode: id, output: held.ui))
            finish(node, held)
            return true
        }
        let call = prepare(node)
        do {
            try environment.control.check()
            environment.emit(.executing(node: id, displayNode: id))
            let start = monotonicSeconds()
            let done: NodeResult
            do {
                done = try await call.perform()
            } catch {
                call.work?.stopped()
                throw error
            }
            call.work?.finished(isSafe: false)
            if case .known(let key) = keys[node] { environment.cache.store(done, for: key) }
            result.executed.append(id)
            if let ui = done.ui { environment.emit(.executed(node: id, displayNode: id, output: ui)) }
            environment.emit(.nodeFinished(node: id, seconds: monotonicSeconds() - start))
            finish(node, done)
            return true
        } catch {
            fail(node, call, error)
            return false
        }
    }

    private func prepare(_ node: Int) -> NodeCall {
        let relay = NodeEventRelay(environment.control, environment.emit)
        return NodeCall(
            definition: graph.nodes[node].definition, inputs: gather(node), context: context(node, relay),
            control: environment.control, relay: relay, work: work(node, relay))
    }

    private func work(_ node: Int, _ relay: NodeEventRelay) -> NodeWork? {
        guard case .known(let key) = keys[node] else { return nil }
        let id = graph.nodes[node].id
        return environment.work?.node(key) { relay.warning(node: id, $0) }
    }

    private func context(_ node: Int, _ events: any NodeEvents) -> NodeContext {
        NodeContext(
            nodeID: graph.nodes[node].id, backend: environment.backend(for: graph.nodes[node].id),
            files: environment.files, events: events,
            prompt: environment.promptJSON, extraPNGInfo: environment.extraPNGInfo)
    }

    /// The values of the inputs that are known.
    private func gather(_ node: Int) -> [String: [any NodeValue]] {
        var inputs: [String: [any NodeValue]] = [:]
        for input in graph.nodes[node].inputs {
            switch input.value {
            case .constant(let json): inputs[input.name] = [json.nodeValue]
            case .link(let source, let slot):
                guard let slots = values[source], slots.indices.contains(slot) else { continue }
                inputs[input.name] = slots[slot]
            }
        }
        return inputs
    }

    /// Hands the result to those that wait for it, and lets go of what nobody needs any more.
    private mutating func finish(_ node: Int, _ done: NodeResult) {
        report(done, of: node)
        if uses[node] > 0 { values[node] = done.outputs }
        for source in graph.nodes[node].sources {
            uses[source] -= 1
            if uses[source] == 0 { values[source] = nil }
        }
        list.finish(node)
    }

    private mutating func fail(_ node: Int, _ call: NodeCall?, _ error: any Error) {
        let entry = graph.nodes[node]
        let isCancellation = error is CancellationError || (error as? TensorError)?.code == .cancelled
        if isCancellation || environment.control.isCancelled {
            result.status = .interrupted
            environment.emit(
                .executionInterrupted(node: entry.id, classType: entry.schema.id, executed: result.executed))
            return
        }
        let failure = ExecutionFailure(
            nodeID: entry.id, classType: entry.schema.id, title: entry.title,
            message: String(describing: error), exceptionType: String(describing: type(of: error)),
            inputs: call?.describedInputs ?? JSONObject(), executed: result.executed)
        result.status = .failed(failure)
        environment.emit(.executionError(failure))
    }

    private mutating func report(_ done: NodeResult, of node: Int) {
        let id = graph.nodes[node].id
        if let ui = done.ui { result.outputs[id] = .object(ui) }
        environment.observeResult?(id, done.outputs)
    }

    // MARK: Keys

    private func lookUp(_ node: Int) -> NodeResult? {
        guard case .known(let key) = keys[node] else { return nil }
        return environment.cache[key]
    }

    /// Finds the node's key, as far as the values that decide it are known.
    private mutating func resolveKey(_ node: Int) {
        do {
            if let key = try makeKey(node) { keys[node] = .known(key) }
        } catch is UncachedSource {
            keys[node] = .never
        } catch {
            keys[node] = .never
            environment.emit(
                .warning(node: graph.nodes[node].id, message: "results are not kept: \(error)"))
        }
    }

    private struct UncachedSource: Error {}

    /// - Returns: `nil` while the name of a file that belongs to the key comes from a node that has not run.
    /// - Throws: ``UncachedSource``, and what the node throws when it is asked for its change text.
    private func makeKey(_ node: Int) throws -> CacheKey? {
        let entry = graph.nodes[node]
        var key = KeyBuilder(entry.schema, environment: environment.cacheScope)
        if entry.schema.usesNodeID { key.add(nodeID: entry.id) }
        var constants: [String: [any NodeValue]] = [:]
        var linked: Set<String> = []
        for input in entry.inputs.sorted(by: { $0.name < $1.name }) {
            var names: [any NodeValue]?
            switch input.value {
            case .constant(let json):
                key.add(input: input.name, constant: json)
                let values = [json.nodeValue]
                if entry.definition.mayHaveFingerprint { constants[input.name] = values }
                names = values
            case .link(let source, let slot):
                switch keys[source] {
                case .open: return nil
                case .never: throw UncachedSource()
                case .known(let ancestor): key.add(input: input.name, source: ancestor, slot: slot)
                }
                linked.insert(input.name)
                if let slots = values[source] ?? cached[source]?.outputs, slots.indices.contains(slot) {
                    names = slots[slot]
                }
            }
            guard let files = input.files else { continue }
            guard let names else { return nil }
            for case let name as String in names {
                if let text = try files.fingerprint(name, environment.files) { key.add(file: text, of: name) }
            }
        }
        guard entry.definition.mayHaveFingerprint else { return key.finish() }
        let silent = NodeEventRelay(environment.control) { _ in }
        if let text = try entry.definition.fingerprint(constants, linked: linked, context(node, silent)) {
            key.add(changeText: text)
        }
        return key.finish()
    }
}

extension Choices {
    /// What changes with the content of one of the files; `nil` for entries that are no files.
    fileprivate func fingerprint(_ name: String, _ files: any NodeFiles) throws -> String? {
        switch self {
        case .fixed: nil
        case .inputImages: try files.fingerprint(path: files.input(name))
        case .files(_, let extra) where extra.contains(name): nil
        case .files(let folder, _): try files.fingerprint(path: files.model(folder, name))
        }
    }
}
