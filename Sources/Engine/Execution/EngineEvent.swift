public import JSON
public import NodeKit
import Tensors

/// What happens during a run, in the order of engine-semantics.md §15.
public struct EngineEvent: Sendable {
    public enum Kind: Sendable {
        case executionStart
        /// Nodes whose results were there from earlier runs, in the order of the prompt; also when there are none.
        case executionCached(nodes: [String])
        /// A node begins; once more when it has waited for lazy inputs.
        case executing(NodeIdentity)
        /// How far a node is, in a unit of its own.
        case progress(NodeIdentity, done: Double, total: Double)
        /// An interrupted run of the node is taken up after `done` steps.
        case resumed(NodeIdentity, done: Int, total: Int)
        /// What a node's result may look like; only where ``RunOptions/previews`` asks for it.
        case preview(NodeIdentity, StepPreview)
        /// A node showed something; also for cached output nodes, with `nil` when they showed nothing.
        case executed(NodeIdentity, output: JSONObject?)
        /// A node is done. Not for cached ones.
        case nodeFinished(NodeIdentity, seconds: Double)
        /// A node is not run since a value it needs was blocked with a message. The run goes on.
        case executionBlocked(NodeIdentity, classType: String, message: String)
        case warning(node: String?, message: String)
        case executionSuccess
        case executionError(ExecutionFailure)
        case executionInterrupted(node: String?, classType: String?, executed: [String])
    }

    public var promptID: String
    /// Milliseconds since 1970.
    public var timestamp: Int64
    public var kind: Kind

    public init(promptID: String, timestamp: Int64, kind: Kind) {
        self.promptID = promptID
        self.timestamp = timestamp
        self.kind = kind
    }
}

/// Why a run ended early.
public struct ExecutionFailure: Error, Sendable, CustomStringConvertible {
    public var nodeID: String
    public var classType: String
    /// The title in the workflow, else the type's display name.
    public var title: String
    /// What the node said.
    public var message: String
    /// The error's type.
    public var exceptionType: String
    /// What the node was given; large values as text.
    public var inputs: JSONObject
    /// Nodes that had finished.
    public var executed: [String]
    /// Nodes that there can be results of: all of the prompt's.
    public var known: [String]

    public init(
        nodeID: String, classType: String, title: String, message: String, exceptionType: String, inputs: JSONObject,
        executed: [String], known: [String] = []
    ) {
        self.known = known
        self.nodeID = nodeID
        self.classType = classType
        self.title = title
        self.message = message
        self.exceptionType = exceptionType
        self.inputs = inputs
        self.executed = executed
    }

    public var description: String { "node \(nodeID) \"\(title)\" (\(classType)): \(message)" }
}

extension EngineEvent {
    /// The name of the message in the server's protocol.
    public var name: String {
        switch kind {
        case .executionStart: "execution_start"
        case .executionCached: "execution_cached"
        case .executing: "executing"
        case .progress: "progress"
        case .resumed: "resumed"
        case .preview: "preview"
        case .executed: "executed"
        case .nodeFinished: "node_finished"
        case .executionBlocked: "execution_error"
        case .warning: "warning"
        case .executionSuccess: "execution_success"
        case .executionError: "execution_error"
        case .executionInterrupted: "execution_interrupted"
        }
    }

    /// `{"type": …, "data": {…}}`.
    public var json: JSON { .object(["type": .string(name), "data": .object(data)]) }

    /// The members of the message.
    public var data: JSONObject {
        var data: JSONObject = ["prompt_id": .string(promptID)]
        func id(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }
        func list(_ ids: [String]) -> JSON { .array(ids.map { .string($0) }) }
        func name(_ node: NodeIdentity) {
            data["node"] = .string(node.id)
            data["display_node"] = .string(node.displayID)
            guard let parent = node.parentID else { return }
            data["parent_node"] = .string(parent)
            data["real_node"] = .string(node.realID)
        }
        /// Whole numbers without a point: most progress counts steps.
        func number(_ value: Double) -> JSON { Int64(exactly: value).map { .int($0) } ?? .double(value) }
        switch kind {
        case .executionStart, .executionSuccess: break
        case .executionCached(let nodes): data["nodes"] = list(nodes)
        case .executing(let node): name(node)
        case .progress(let node, let done, let total):
            name(node)
            data["value"] = number(done)
            data["max"] = number(total)
        case .resumed(let node, let done, let total):
            name(node)
            data["value"] = .int(Int64(done))
            data["max"] = .int(Int64(total))
        case .preview(let node, let preview):
            name(node)
            data["value"] = .int(Int64(preview.step))
            data["max"] = .int(Int64(preview.total))
            data["width"] = .int(Int64(preview.picture.shape.rank == 4 ? preview.picture.shape[2] : 0))
            data["height"] = .int(Int64(preview.picture.shape.rank == 4 ? preview.picture.shape[1] : 0))
        case .executed(let node, let output):
            name(node)
            data["output"] = output.map { .object($0) } ?? .null
        case .nodeFinished(let node, let seconds):
            name(node)
            data["seconds"] = .double(seconds)
        case .executionBlocked(let node, let classType, let message):
            data["node_id"] = .string(node.realID)
            data["node_type"] = .string(classType)
            data["executed"] = .array([])
            data["exception_message"] = .string("Execution Blocked: \(message)")
            data["exception_type"] = .string("ExecutionBlocked")
            data["traceback"] = .array([])
            data["current_inputs"] = .array([])
            data["current_outputs"] = .array([])
        case .warning(let node, let message):
            data["node"] = id(node)
            data["message"] = .string(message)
        case .executionError(let failure):
            data["node_id"] = .string(failure.nodeID)
            data["node_type"] = .string(failure.classType)
            data["executed"] = list(failure.executed)
            data["exception_message"] = .string(failure.message)
            data["exception_type"] = .string(failure.exceptionType)
            data["traceback"] = .array([])
            data["current_inputs"] = .object(failure.inputs)
            data["current_outputs"] = list(failure.known)
        case .executionInterrupted(let node, let classType, let executed):
            data["node_id"] = id(node)
            data["node_type"] = id(classType)
            data["executed"] = list(executed)
        }
        switch kind {
        case .executing, .progress, .resumed, .preview, .executed, .nodeFinished, .executionBlocked: break
        default: data["timestamp"] = .int(timestamp)
        }
        return data
    }
}
