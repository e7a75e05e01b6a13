/// Why a manifest cannot be read or its checkpoint not be written.
public struct ManifestError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What code may switch on.
    public enum Code: Hashable, Sendable {
        /// The manifest is damaged, or asks for something impossible.
        case malformed
        /// A file or folder cannot be read or written.
        case file
        /// The caller's check said stop.
        case cancelled
    }

    public var code: Code
    /// What was found, what was expected, what to do.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
