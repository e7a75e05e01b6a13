public import JSON
public import NodeKit
import Synchronization
public import Tensors
public import Workflow

/// Validates and runs graphs. One per process: its runs share the results they computed.
public final class GraphEngine: Sendable {
    public let registry: NodeRegistry
    public let backend: any Backend
    public let files: any NodeFiles
    public let cache: ResultCache
    /// Results that outlive the process; `nil` keeps none.
    public let store: ResultStore?
    /// Where interrupted nodes leave what they have done; `nil` keeps nothing.
    public let resume: ResumeFolder?
    private let executor = NodeExecutor()

    public init(
        registry: NodeRegistry, backend: any Backend, files: any NodeFiles, cache: ResultCache,
        store: ResultStore? = nil, resume: ResumeFolder? = nil
    ) {
        self.registry = registry
        self.backend = backend
        self.files = files
        self.cache = cache
        self.store = store
        self.resume = resume
    }

    /// Checks a whole prompt; loads nothing.
    ///
    /// - Parameter targets: the output nodes to run; `nil` means all. Ids that are no outputs are ignored.
    public func validate(_ prompt: Prompt, targets: [String]? = nil) async -> ValidationReport {
        await Self.validate(prompt, registry: registry, files: files, targets: targets)
    }

    /// Checks a whole prompt without an engine: no backend is needed for it.
    public static func validate(
        _ prompt: Prompt, registry: NodeRegistry, files: any NodeFiles, targets: [String]? = nil
    ) async -> ValidationReport {
        await validate(
            prompt, registry: registry, files: files, options: ValidationOptions(targets: targets.map { Set($0) }))
    }

    /// Runs what validation found sound. Nodes run on threads of their own, independent ones beside each other.
    ///
    /// Cancelling the task, or `options.control`, ends the run at the next step; results of finished nodes stay in
    /// ``cache``, as they do when a node fails.
    ///
    /// - Parameter observer: called with every event, one after the other, on the thread that caused it; must return
    ///   quickly.
    public func run(
        _ prompt: ValidatedPrompt, options: RunOptions = RunOptions(),
        observer: @escaping @Sendable (EngineEvent) -> Void = { _ in }
    ) async -> RunResult {
        let promptID = options.promptID
        let scope = RunScope(options.control)
        let turn = Mutex(())
        let environment = RunEnvironment(self, prompt, options, scope) { kind in
            // After a failure only the last event is still of interest.
            if scope.isAbandoned {
                switch kind {
                case .executionError, .executionInterrupted: break
                default: return
                }
            }
            let event = EngineEvent(promptID: promptID, timestamp: wallClockMilliseconds(), kind: kind)
            turn.withLock { _ in observer(event) }
        }
        let run = Task(executorPreference: executor) { await GraphRun(prompt, environment).run() }
        options.control.whenCancelled { run.cancel() }
        defer { options.control.whenCancelled(nil) }
        return await withTaskCancellationHandler {
            await run.value
        } onCancel: {
            options.control.cancel()
        }
    }
}

extension GraphEngine {
    /// Runs what validation found sound; the events come as a stream, whose end is the end of the run.
    ///
    /// A consumer that stops reading, or is cancelled, cancels the run.
    public func events(of prompt: ValidatedPrompt, options: RunOptions = RunOptions()) -> AsyncStream<EngineEvent> {
        AsyncStream { continuation in
            let task = Task {
                _ = await run(prompt, options: options) { continuation.yield($0) }
                continuation.finish()
            }
            continuation.onTermination = { _ in
                options.control.cancel()
                task.cancel()
            }
        }
    }
}

/// What may differ from run to run.
public struct RunOptions: Sendable {
    /// Names the run in its events.
    public var promptID: String
    /// Stops the run.
    public var control: RunControl
    /// Texts that pictures carry beside the prompt: "workflow".
    public var extraPNGInfo: JSONObject
    /// Gets every node's outputs as they become known, also those from the cache.
    public var resultObserver: (@Sendable (_ node: String, _ outputs: [[any NodeValue]]) -> Void)?

    /// How many nodes may compute at the same time, as far as memory allows.
    public var parallelNodes: Int
    /// Whether and how samplers show pictures of their steps.
    public var previews = PreviewOptions.none

    /// Whether written files carry the workflow.
    public var embedsWorkflow = true

    /// The most that a node's own work may take where it has a choice, if that is less than what is available.
    public var workingMemory: Int?

    public init(
        promptID: String = "", control: RunControl = RunControl(), extraPNGInfo: JSONObject = JSONObject(),
        parallelNodes: Int = 2, workingMemory: Int? = nil,
        resultObserver: (@Sendable (_ node: String, _ outputs: [[any NodeValue]]) -> Void)? = nil
    ) {
        self.promptID = promptID
        self.control = control
        self.extraPNGInfo = extraPNGInfo
        self.parallelNodes = parallelNodes
        self.workingMemory = workingMemory
        self.resultObserver = resultObserver
    }
}

/// What all nodes of a run share.
final class RunEnvironment: Sendable {
    let registry: NodeRegistry
    let backend: any Backend
    let files: any NodeFiles
    let cache: ResultCache
    let store: ResultStore?
    let control: RunControl
    let scope: RunScope
    let promptJSON: JSON
    let extraPNGInfo: JSONObject
    let journals: RunJournals?
    let parallelNodes: Int
    let availableMemory: @Sendable () -> Int
    let previews: PreviewOptions
    let embedsWorkflow: Bool
    let observeResult: (@Sendable (String, [[any NodeValue]]) -> Void)?
    let emit: @Sendable (EngineEvent.Kind) -> Void

    init(
        _ engine: GraphEngine, _ prompt: ValidatedPrompt, _ options: RunOptions, _ scope: RunScope,
        emit: @escaping @Sendable (EngineEvent.Kind) -> Void
    ) {
        registry = engine.registry
        backend = engine.backend
        files = engine.files
        cache = engine.cache
        store = engine.store
        control = options.control
        self.scope = scope
        promptJSON = prompt.prompt.json
        extraPNGInfo = options.extraPNGInfo
        journals = engine.resume.map { RunJournals($0) }
        parallelNodes = max(1, options.parallelNodes)
        availableMemory = { [limit = options.workingMemory] in min(AvailableMemory.bytes(), limit ?? .max) }
        previews = options.previews
        embedsWorkflow = options.embedsWorkflow
        observeResult = options.resultObserver
        self.emit = emit
        cacheScope = "\(backend.name) \(backend.computeType.rawValue)"
    }

    /// The backend that a node gets.
    func backend(for node: String) -> any Backend {
        (backend as? any NodeScopedBackend)?.scoped(to: node) ?? backend
    }

    /// What results depend on beside the graph: bf16 products give other numbers than float32 ones.
    let cacheScope: String
}
