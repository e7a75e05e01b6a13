/// Why a picture could not be read, written or worked on.
public struct ImageError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// The file does not exist, may not be read, or is not a regular file.
        case unreadableFile
        /// The file or its folder could not be written: permissions, full disk, a name outside the output folder.
        case unwritableFile
        /// Not a picture, or one in a format that is not read here.
        case unsupportedFormat
        /// The file breaks the rules of its format: cut off, wrong check sum, impossible values.
        case damaged
        /// More pixels, bytes or text than the limits allow.
        case tooLarge
        case outOfMemory
        /// A tensor of the wrong shape, or a parameter outside its range.
        case invalidArgument
    }
    /// What code switches on.
    public var code: Code
    /// What a person reads: what was found, what was expected, what to do.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
