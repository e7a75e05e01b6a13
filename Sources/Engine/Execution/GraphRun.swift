import JSON
import NodeKit
import Synchronization
import Tensors
import Workflow

/// The state of one run. Confined to the task that runs it; nodes get copies of what they need.
struct GraphRun {
    /// A node's turn that has ended.
    struct Completion: Sendable {
        var node: Int
        var outcome: Result<NodeCall.Outcome, any Error>
        /// What the node was given, if it failed.
        var inputs = JSONObject()
        var seconds: Double
    }

    /// Holds a call until it is made. A task is destroyed some time after its end: it must not keep pictures until then.
    private final class Parcel: Sendable {
        private let call: Mutex<NodeCall?>
        init(_ call: NodeCall) { self.call = Mutex(call) }
        func take() -> NodeCall? {
            call.withLock { call in
                defer { call = nil }
                return call
            }
        }
    }

    /// A node that has run and waits for the expansion that gives its values.
    struct Pending {
        var calls: [[[any NodeValue]]]
        var ui: JSONObject?
        /// Positions of the nodes it added.
        var fragment: [Int]
        var seconds: Double
        /// When it expanded, by the clock that never jumps.
        var expanded: Double
    }

    let environment: RunEnvironment
    let scope: RunScope
    let roots: [Int]
    var graph: Graph
    var keys: [KeyState]
    /// Results that were there before the node's turn came.
    var cached: [Int: NodeResult] = [:]
    /// Nodes whose results are on disk and have not been read.
    var stored: Set<Int> = []
    var list: ExecutionList
    /// Results of finished nodes that others still need.
    var values: [Int: [[any NodeValue]]] = [:]
    /// How often a node's values are held by nodes that have not finished.
    var uses: [Int]
    /// Whose values a node holds.
    var holds: [[Int]]
    var pending: [Int: Pending] = [:]
    /// Nodes by id; made when it is first needed.
    var positions: [String: Int]?
    /// What nodes that repeat parts of the graph see of it; made when it is first needed.
    var live: LiveNodes?
    /// Nodes that run, or wait for their expansion, and whose results may be shared.
    var inFlight: [CacheKey: Int] = [:]
    /// When it was last looked whether memory allows another node, and the answer.
    private var memoryCheck = (time: -1.0, allows: true)
    /// How many nodes run, by kind of work.
    var running: [NodeWork: Int] = [:]
    var failure: (node: Int, inputs: JSONObject, error: any Error)?
    var result = RunResult()

    init(_ plan: ValidatedPrompt, _ environment: RunEnvironment) {
        self.environment = environment
        scope = environment.scope
        roots = plan.roots
        graph = plan.graph
        let count = plan.graph.nodes.count
        keys = Array(repeating: .open, count: count)
        list = ExecutionList(count: count)
        uses = Array(repeating: 0, count: count)
        holds = Array(repeating: [], count: count)
    }

    consuming func run() async -> RunResult {
        environment.emit(.executionStart)
        environment.cache.beginPrompt {
            for node in graph.order {
                resolveKey(node)
                find(node)
            }
        }
        for node in graph.nodes.indices {
            if let held = cached[node] { report(held, of: node) }
            if cached[node] != nil || stored.contains(node) { result.cached.append(graph.nodes[node].id) }
        }
        environment.emit(.executionCached(nodes: result.cached))
        for root in roots { schedule(root) }
        // Of the results found, only those stay in memory that a node to run needs.
        cached = cached.filter { list.contains($0.key) }
        list.start()
        await runAll()
        end()
        return result
    }

    // MARK: The loop

    /// Begins what can begin and takes in what has ended, until nothing is left or something failed.
    private mutating func runAll() async {
        await withTaskGroup(of: Completion.self) { group in
            while true {
                await beginReady(&group)
                // Also a turn may fail, of a node that is not called: what runs is woken before it is waited for.
                if failure != nil {
                    scope.abandon()
                    group.cancelAll()
                }
                guard running.values.contains(where: { $0 > 0 }), let completion = await group.next() else { return }
                end(completion)
            }
        }
    }

    private mutating func beginReady(_ group: inout TaskGroup<Completion>) async {
        while failure == nil, list.hasReady {
            let allowed = list.readyLanes.filter { mayBegin($0) }
            guard let node = list.take(allowed) else { return }
            guard let call = turn(of: node) else { continue }
            let work = graph.nodes[node].schema.work
            running[work, default: 0] += 1
            // Where nothing else can happen in the meantime there is no need of a task.
            if running[work] == 1, running.values.reduce(0, +) == 1, !list.hasReady {
                end(await Self.perform(call, node))
            } else {
                let parcel = Parcel(call)
                group.addTask { await Self.perform(parcel.take(), node) }
            }
        }
    }

    /// Whether a node may begin beside those that run.
    private mutating func mayBegin(_ work: NodeWork) -> Bool {
        let total = running.values.reduce(0, +)
        if total == 0 || work == .waiting { return true }
        let computing = running[.computing, default: 0] + running[.sampling, default: 0]
        switch work {
        case .sampling where running[.sampling, default: 0] > 0: return false
        case .computing, .sampling:
            guard computing < environment.parallelNodes else { return false }
        case .loading:
            guard running[.loading, default: 0] < environment.parallelNodes else { return false }
        case .waiting: break
        }
        // Beside nodes that only wait, any one may run.
        return computing + running[.loading, default: 0] == 0 || memoryAllowsMore()
    }

    /// Whether the machine has room for one more node beside those that run.
    private mutating func memoryAllowsMore() -> Bool {
        let now = monotonicSeconds()
        // Not for each of a thousand small nodes.
        if now - memoryCheck.time > 0.02 { memoryCheck = (now, AvailableMemory.bytes() >= Self.roomForOneMore) }
        return memoryCheck.allows
    }

    /// Bytes that must be available before another node may begin beside those that run.
    private static let roomForOneMore = 1 << 30

    private static func perform(_ call: consuming NodeCall?, _ node: Int) async -> Completion {
        let start = monotonicSeconds()
        guard let call else {
            return Completion(node: node, outcome: .failure(CancellationError()), seconds: 0)
        }
        do {
            let outcome = try await call.perform()
            if case .done = outcome { call.journals?.finished() }
            return Completion(node: node, outcome: .success(outcome), seconds: monotonicSeconds() - start)
        } catch {
            call.journals?.stopped()
            return Completion(
                node: node, outcome: .failure(error), inputs: call.describedInputs, seconds: monotonicSeconds() - start)
        }
    }

    // MARK: One node

    /// A node's turn has come: takes its result from where there is one, or says what is to be done.
    private mutating func turn(of node: Int) -> NodeCall? {
        if let held = cached.removeValue(forKey: node) {
            environment.emit(.executed(graph.identity(node), output: held.ui))
            settle(node, held)
            return nil
        }
        if let waiting = pending.removeValue(forKey: node) {
            do {
                try collect(node, waiting)
            } catch {
                failure = (node, JSONObject(), error)
            }
            return nil
        }
        var mayBeStored = graph.nodes[node].origin != nil
        if case .open = keys[node] {
            resolveKey(node)
            mayBeStored = true
        }
        // Twins share a result: the first of them has stored it by now, or is about to.
        if let held = lookUp(node) ?? (mayBeStored ? readStored(node) : nil) {
            environment.emit(.executed(graph.identity(node), output: held.ui))
            report(held, of: node)
            settle(node, held)
            return nil
        }
        if case .known(let key) = keys[node] {
            if let twin = inFlight[key], twin != node {
                list.putBack(node)
                list.block(node, on: twin)
                return nil
            }
            inFlight[key] = node
        }
        let call = prepare(node)
        do {
            try scope.check()
        } catch {
            failure = (node, call.describedInputs, error)
            return nil
        }
        environment.emit(.executing(graph.identity(node)))
        return call
    }

    private func prepare(_ node: Int) -> NodeCall {
        let relay = NodeEventRelay(scope, graph.identity(node), environment.emit)
        var inputs: [String: [any NodeValue]] = [:]
        var missing: Set<String> = []
        for input in graph.nodes[node].inputs {
            switch input.value {
            case .constant(let json): inputs[input.name] = [json.nodeValue]
            case .value(let value): inputs[input.name] = [value]
            case .rawLink(let link, _): inputs[input.name] = [link]
            case .link(let source, let slot):
                if let slots = values[source], slots.indices.contains(slot) {
                    inputs[input.name] = slots[slot]
                } else {
                    missing.insert(input.name)
                }
            }
        }
        var call = NodeCall(
            definition: graph.nodes[node].definition, inputs: inputs, missing: missing, context: context(node, relay),
            scope: scope, relay: relay)
        if case .known(let key) = keys[node], let journals = environment.journals {
            call.journals = journals.node(key) { relay.warning(node: "", $0) }
            call.context.unfinishedWork = call.journals
        }
        return call
    }

    func context(_ node: Int, _ events: any NodeEvents) -> NodeContext {
        let entry = graph.nodes[node]
        var context = NodeContext(
            nodeID: entry.id, backend: environment.backend(for: entry.id), files: environment.files, events: events,
            prompt: environment.promptJSON, extraPNGInfo: environment.extraPNGInfo)
        context.memory = CachedMemory(environment.cache, entry.schema)
        context.previews = environment.previews
        context.embedsWorkflow = environment.embedsWorkflow
        context.availableMemory = environment.availableMemory
        context.graph = live
        return context
    }

    private mutating func end(_ completion: Completion) {
        let node = completion.node
        running[graph.nodes[node].schema.work, default: 1] -= 1
        // What ends after a failure has nobody to tell.
        if failure != nil { return }
        do {
            switch try completion.outcome.get() {
            case .needs(let inputs):
                try evaluate(inputs, for: node)
            case .done(let calls, let ui, let expansions):
                if expansions.isEmpty && !calls.contains(where: \.hasLinks) {
                    finish(node, NodeResult(outputs: mergeOutputs(calls), ui: ui), completion.seconds)
                } else {
                    if let ui { environment.emit(.executed(graph.identity(node), output: ui)) }
                    try expand(node, calls, ui, expansions, completion.seconds)
                }
            }
        } catch {
            failure = (node, completion.inputs, error)
        }
    }

    /// A node's result is complete.
    ///
    /// - Parameter cost: the seconds that its computation took, with those of its expansion.
    mutating func finish(
        _ node: Int, _ done: NodeResult, _ seconds: Double, cost: Double? = nil, isShown: Bool = false
    ) {
        let identity = graph.identity(node)
        if case .known(let key) = keys[node] { keep(done, of: node, key, cost ?? seconds) }
        result.executed.append(identity.id)
        if let ui = done.ui, !isShown { environment.emit(.executed(identity, output: ui)) }
        environment.emit(.nodeFinished(identity, seconds: seconds))
        report(done, of: node)
        settle(node, done)
    }

    /// Hands the result to those that wait for it, and lets go of what nobody needs any more.
    private mutating func settle(_ node: Int, _ done: NodeResult) {
        if case .known(let key) = keys[node], inFlight[key] == node { inFlight[key] = nil }
        if uses[node] > 0 { values[node] = done.outputs }
        releaseHolds(of: node)
        list.finish(node)
        if uses[node] == 0 { forget(node) }
    }

    mutating func report(_ done: NodeResult, of node: Int) {
        let id = graph.nodes[node].id
        if let ui = done.ui { result.outputs[id] = .object(ui) }
        environment.observeResult?(id, done.outputs)
    }

    // MARK: The end

    private mutating func end() {
        if failure == nil, list.remaining > 0 {
            // Links that expansions made are not checked before.
            let circle = list.circle()
            if let node = circle.first(where: { graph.nodes[$0].origin != nil }) ?? circle.first {
                failure = (node, JSONObject(), DependencyCycle())
            }
        }
        guard let failure else {
            environment.journals?.succeeded()
            return environment.emit(.executionSuccess)
        }
        let real = graph.nodes[graph.real(failure.node)]
        let isCancellation =
            failure.error is CancellationError || (failure.error as? TensorError)?.code == .cancelled
        if isCancellation || environment.control.isCancelled {
            result.status = .interrupted
            return environment.emit(
                .executionInterrupted(node: real.id, classType: real.schema.id, executed: result.executed))
        }
        let description = ExecutionFailure(
            nodeID: real.id, classType: real.schema.id, title: real.title,
            message: String(describing: failure.error), exceptionType: exceptionName(failure.error),
            inputs: failure.inputs, executed: result.executed,
            known: graph.nodes.filter { $0.origin == nil }.map(\.id))
        result.status = .failed(description)
        environment.emit(.executionError(description))
    }

    private func exceptionName(_ error: any Error) -> String {
        error is DependencyCycle ? "graph.DependencyCycleError" : String(describing: type(of: error))
    }
}

/// Nodes of an expansion wait for each other.
struct DependencyCycle: Error, CustomStringConvertible {
    var description: String { "Dependency cycle detected" }
}

extension [[any NodeValue]] {
    /// Whether some output stands for one of another node.
    var hasLinks: Bool { contains { slot in slot.contains { $0 is LinkedOutput } } }
}
