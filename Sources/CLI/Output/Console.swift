import Glibc
import Synchronization

/// Where the program writes.
public protocol Console: Sendable {
    /// Results, on standard output; a line unless `text` ends otherwise.
    func print(_ text: String)
    /// Progress and errors, on standard error, without a line end of its own.
    func note(_ text: String)
    /// Columns of the terminal on standard error; `nil` when there is none.
    var terminalWidth: Int? { get }
}

extension Console {
    /// One line on standard error.
    func noteLine(_ text: String) { note(text + "\n") }
    func error(_ text: String) { noteLine("graphrun: error: " + text) }
    func warning(_ text: String) { noteLine("graphrun: warning: " + text) }
}

/// The process's own standard output and error.
public final class SystemConsole: Console {
    private let lock = Mutex(())

    public init() {}

    public func print(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
    public func note(_ text: String) { write(text, to: STDERR_FILENO) }

    public var terminalWidth: Int? {
        guard isatty(STDERR_FILENO) == 1 else { return nil }
        var size = winsize()
        guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Whole texts at once, so that lines of several threads do not mix. What cannot be written is lost: the reader has
    /// gone away.
    private func write(_ text: String, to file: Int32) {
        let bytes = Array(text.utf8)
        lock.withLock { _ in
            var start = 0
            while start < bytes.count {
                let count = unsafe bytes.withUnsafeBytes { buffer in
                    unsafe Glibc.write(file, buffer.baseAddress?.advanced(by: start), buffer.count - start)
                }
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return }
                start += count
            }
        }
    }
}
