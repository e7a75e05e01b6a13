/// Why a tokenizer could not be loaded, or a prompt not be read.
public struct TokenizerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What code may switch on.
    public enum Code: Hashable, Sendable {
        /// No tokenizer file was found where one is expected.
        case notFound
        /// The file cannot be opened or read.
        case unreadable
        /// The file is damaged or contradicts itself.
        case malformed
        /// The file is intact but describes another kind of tokenizer.
        case wrongKind
        /// The file asks for a method that is not implemented.
        case unsupported
        /// The prompt itself cannot be read.
        case prompt
    }

    public var code: Code
    /// The file at fault; empty for prompts.
    public var file: String
    /// What was found, what was expected, what to do.
    public var message: String

    public init(_ code: Code, file: String, _ message: String) {
        self.code = code
        self.file = file
        self.message = message
    }

    public var description: String { file.isEmpty ? message : "\(file): \(message)" }
}
