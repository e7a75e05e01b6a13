/// Why a library of nodes cannot be made, installed or loaded: what was found, what was expected, what to do.
public struct PluginError: Error, Sendable, Hashable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
