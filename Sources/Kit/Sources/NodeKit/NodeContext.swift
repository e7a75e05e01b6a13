public import JSON
public import Tensors

/// What a node may use while it runs.
public struct NodeContext: Sendable {
    /// The node's id in the workflow.
    public var nodeID: String
    /// The tensor operations to compute with.
    public var backend: any Backend
    /// Files and folders.
    public var files: any NodeFiles
    /// Where progress, texts and warnings go.
    public var events: any NodeEvents
    /// The workflow in API form, as it is written into pictures.
    public var prompt: JSON
    /// Further texts for pictures: "workflow" in UI form.
    public var extraPNGInfo: JSONObject
    /// Whether files that nodes write are to carry the workflow that made them.
    public var embedsWorkflow = true
    /// Which of the calls for the elements of lists this is, from 0.
    public var callIndex = 0
    /// The running graph, for nodes that list ``HiddenInput/liveGraph``.
    public var graph: (any LiveGraph)?
    /// Values that outlive the run.
    public var memory: (any NodeMemory)?
    /// Keeps what the node has done so far over a crash; `nil` where nothing is kept. See ``WorkJournal``.
    public var unfinishedWork: (any UnfinishedWork)?
    /// Bytes that a node's own work may take at present: what the process could take without anybody having to swap, or
    /// what the user allows, if that is less; `nil` where that is not known. For nodes that can do with less: in tiles,
    /// one after the other.
    public var availableMemory: (@Sendable () -> Int)?
    /// Whether and how samplers show pictures of their steps.
    public var previews = PreviewOptions.none

    public init(
        nodeID: String, backend: any Backend, files: any NodeFiles, events: any NodeEvents, prompt: JSON = .null,
        extraPNGInfo: JSONObject = JSONObject()
    ) {
        self.nodeID = nodeID
        self.backend = backend
        self.files = files
        self.events = events
        self.prompt = prompt
        self.extraPNGInfo = extraPNGInfo
    }

    /// The texts that a written file carries: `prompt`, then those of ``extraPNGInfo`` under their keys, as the reference
    /// writes them; none where the user wants none.
    public var workflowTexts: [(key: String, text: String)] {
        guard embedsWorkflow else { return [] }
        let prompt = prompt.isNull ? [] : [(key: "prompt", text: prompt.text(.python))]
        return prompt + extraPNGInfo.map { (key: $0.key, text: $0.value.text(.python)) }
    }

    /// - Throws: `CancellationError` once the user has asked to stop. Call it between steps of long work.
    public func checkCancellation() throws { try events.checkCancellation() }
    /// Reports finished steps of long work.
    public func progress(_ step: Int, of total: Int) { progress(Double(step), of: Double(total)) }
    /// Reports how much of long work is done, in any unit.
    public func progress(_ done: Double, of total: Double) { events.progress(node: nodeID, done: done, total: total) }
    /// Tells the user something that is no error.
    public func warn(_ message: String) { events.warning(node: nodeID, message) }
    /// Gives the front end something to show: {"text": [...]}, {"images": [{filename, subfolder, type}]}.
    public func show(_ output: JSONObject) { events.ui(node: nodeID, output) }

    /// An empty piece of graph to fill and to ``expand(_:)``.
    ///
    /// - Parameter index: distinguishes several pieces made in one call.
    public func subgraph(_ index: Int = 0) -> Subgraph { Subgraph(node: nodeID, call: callIndex, index: index) }

    /// Runs a piece of graph; the outputs of this node that are linked to it (``Output/link(_:)``) wait for it.
    ///
    /// - Throws: ``NodeError`` where there is no run to take part in.
    public func expand(_ graph: Subgraph) throws { try events.expand(node: nodeID, call: callIndex, graph) }

    /// A value that the node type remembers between runs: an index built once, a parsed table.
    ///
    /// - Parameters:
    ///   - key: names it among the values of this node type.
    ///   - make: computes it when it is not there. It counts as memory of the cache and may be dropped at any time.
    public func remembered<Value: NodeValue>(
        _ key: String, _ make: @Sendable () async throws -> Value
    ) async throws -> Value {
        guard let memory else { return try await make() }
        if let known = memory.value(key) as? Value { return known }
        let value = try await make()
        memory.remember(value, key)
        return value
    }
}

/// Keeps values of a node type between runs.
public protocol NodeMemory: Sendable {
    func value(_ key: String) -> (any NodeValue)?
    func remember(_ value: any NodeValue, _ key: String)
}

/// Model, input and output files of an installation.
public protocol NodeFiles: Sendable {
    /// Full path of a model file; `folder` is a folder type ("loras", "diffusion_models").
    ///
    /// - Throws: ``NodeError`` naming the folders searched and the nearest file names.
    func model(_ folder: String, _ name: String) throws -> String
    /// Names of the files of a folder type, sorted.
    func modelNames(_ folder: String) -> [String]
    /// Folders of a type, in order of search.
    func modelFolders(_ folder: String) -> [String]
    /// Full path of an input picture, also with an annotation ("x.png [output]").
    func input(_ name: String) throws -> String
    /// Names of the pictures in the input folder, sorted.
    func inputNames() -> [String]
    var outputFolder: String { get }
    /// For previews; removed at the end.
    var temporaryFolder: String { get }
    /// A text that changes with the file: a digest of its content where results outlive the process, else size,
    /// modification time and identity.
    func fingerprint(path: String) throws -> String
}

/// Receiver of what happens inside nodes.
public protocol NodeEvents: Sendable {
    func checkCancellation() throws
    func progress(node: String, done: Double, total: Double)
    /// An interrupted run of the node is taken up after `done` steps.
    func resumed(node: String, done: Int, total: Int)
    /// What the node's result may look like, after one of its steps.
    func preview(node: String, _ preview: StepPreview)
    func warning(node: String, _ message: String)
    func ui(node: String, _ output: JSONObject)
    func expand(node: String, call: Int, _ graph: Subgraph) throws
}

extension NodeEvents {
    public func expand(node: String, call: Int, _ graph: Subgraph) throws {
        throw NodeError("node \(node) makes a piece of graph, which only works in a run")
    }
}
