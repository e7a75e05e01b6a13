/// How the program ends.
public enum ProgramStatus: Int32, Sendable {
    case done = 0
    /// A node failed, or a result could not be written.
    case runFailed = 1
    /// Arguments or files they name are wrong.
    case usage = 2
    case invalidWorkflow = 3
    /// SIGINT or SIGTERM.
    case cancelled = 130
}

/// An error that ends the program with a message.
struct ProgramError: Error, CustomStringConvertible {
    var status: ProgramStatus
    var message: String

    init(_ status: ProgramStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    var description: String { message }
}
