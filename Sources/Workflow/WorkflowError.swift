/// Why a workflow file cannot be used, or an override cannot be applied.
public struct WorkflowError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// The file cannot be read.
        case unreadable
        /// The text is not JSON.
        case notJSON
        /// JSON or a picture, but without a workflow in it.
        case noWorkflow
        /// A workflow with a part of the wrong kind.
        case malformed
        /// Sub-graphs that contain themselves, or that expand without end.
        case unbounded
        /// More than a workflow can hold.
        case tooLarge
        /// An override that names no input, or more than one.
        case override
    }

    /// What code switches on.
    public var code: Code
    /// The file, if there is one.
    public var file: String?
    /// The place of the fault inside the file, such as `nodes[3].inputs[0].link`; empty for the file as a whole.
    public var path: String
    /// What was found, and what was expected.
    public var message: String
    /// What to do about it.
    public var advice: String?

    public init(_ code: Code, at path: String = "", _ message: String, advice: String? = nil, file: String? = nil) {
        self.code = code
        self.file = file
        self.path = path
        self.message = message
        self.advice = advice
    }

    public var description: String {
        var out = ""
        if let file { out += "\(file): " }
        if !path.isEmpty { out += "\(path): " }
        out += message
        if let advice { out += "; \(advice)" }
        return out
    }

    /// The same error, found in a file of this name.
    func inFile(_ name: String?) -> WorkflowError {
        var copy = self
        copy.file = copy.file ?? name
        return copy
    }

    /// A value of another kind than expected.
    static func wrongKind(at path: String, _ found: (any CustomStringConvertible)?, expected: String) -> WorkflowError {
        WorkflowError(.malformed, at: path, "found \(found.map(\.description) ?? "nothing"), expected \(expected)")
    }
}
