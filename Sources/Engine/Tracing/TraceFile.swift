import Glibc
import JSON
import Synchronization

/// Writes trace events in Chrome's JSON array format, one per line (opens in Perfetto and chrome://tracing).
///
/// The format allows the closing bracket to be missing, so the file of a killed process is readable up to its last
/// quarter of a second. Specification: "Trace Event Format" (Google, 2016).
final class TraceFile: Sendable {
    /// A span's place in the picture.
    struct Row: Sendable, Hashable {
        var number: Int
    }

    private struct State {
        var pending: [UInt8] = []
        var lastWrite = 0
        var isOpen = true
    }

    /// Bytes that wait in memory at most.
    private static let pendingLimit = 64 << 10
    /// Nanoseconds that operations wait at most, as long as other events follow. Everything else is written at once.
    private static let delay = 250_000_000

    private let descriptor: Int32
    private let origin: Int
    private let state = Mutex(State())

    /// - Throws: ``FileError`` when the file cannot be written, or holds anything but an earlier trace: a slip must not
    ///   cost a model or the workflow.
    init(path: String) throws(FileError) {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw FileError("\"\"", "is no file name to write a trace to")
        }
        // Not blocking: a pipe would wait for a reader for ever.
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o666)
        guard file >= 0 else { throw FileError(path, "cannot be written: \(FileSystem.lastProblem())") }
        do throws(FileError) {
            try Self.empty(file, path)
        } catch {
            _ = Glibc.close(file)
            throw error
        }
        descriptor = file
        origin = monotonicNanoseconds()
        state.withLock { $0.pending = Array("[\n".utf8) }
    }

    deinit { close() }

    /// What every trace begins with.
    private static let start = Array("[\n{\"name\":\"process_name\",\"ph\":\"M\"".utf8)

    private static func empty(_ file: Int32, _ path: String) throws(FileError) {
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(path, "is no plain file, so that no trace can be written to it; give another name")
        }
        if status.st_size == 0 { return }
        var found = [UInt8](repeating: 0, count: start.count)
        let count = unsafe found.withUnsafeMutableBytes { unsafe pread(file, $0.baseAddress, $0.count, 0) }
        guard count == start.count, found == start else {
            throw FileError(
                path, "exists and is no trace, so that it is not overwritten; remove it or give another name")
        }
        guard ftruncate(file, 0) == 0 else {
            throw FileError(path, "cannot be written: \(FileSystem.lastProblem())")
        }
    }

    /// Nanoseconds since the file was opened.
    func now() -> Int { monotonicNanoseconds() - origin }

    /// A name for a row, or for the process as a whole.
    func name(_ name: String, of row: Row?) {
        let kind = row == nil ? "process_name" : "thread_name"
        add("\"name\":\"\(kind)\",\"ph\":\"M\",\"ts\":0", row, "{\"name\":\(quoted(name))}")
    }

    /// A span that lasts until ``end(_:at:)``, which is written although the process may be killed in it.
    func begin(_ name: String, _ category: String, _ row: Row, at time: Int, arguments: String = "{}") {
        add(
            "\"name\":\(quoted(name)),\"cat\":\"\(category)\",\"ph\":\"B\",\"ts\":\(microseconds(time))", row, arguments
        )
    }

    func end(_ row: Row, at time: Int, arguments: String = "{}") {
        add("\"ph\":\"E\",\"ts\":\(microseconds(time))", row, arguments)
    }

    /// A span that is over.
    func span(
        _ name: String, _ category: String, _ row: Row, from start: Int, to end: Int, arguments: String = "{}",
        mayWait: Bool = false
    ) {
        add(
            "\"name\":\(quoted(name)),\"cat\":\"\(category)\",\"ph\":\"X\",\"ts\":\(microseconds(start)),"
                + "\"dur\":\(microseconds(max(end - start, 0)))", row, arguments, mayWait: mayWait)
    }

    /// A moment.
    func mark(_ name: String, _ category: String, _ row: Row?, at time: Int, arguments: String = "{}") {
        let scope = row == nil ? "p" : "t"
        add(
            "\"name\":\(quoted(name)),\"cat\":\"\(category)\",\"ph\":\"i\",\"s\":\"\(scope)\","
                + "\"ts\":\(microseconds(time))", row, arguments)
    }

    /// Writes what is left, and the end of the array.
    func close() {
        state.withLock { state in
            guard state.isOpen else { return }
            // The events end in commas, and an array's last element must not.
            state.pending += Array("{\"name\":\"end\",\"ph\":\"M\",\"ts\":0,\"pid\":1,\"tid\":0,\"args\":{}}\n]\n".utf8)
            write(&state)
            state.isOpen = false
            _ = Glibc.close(descriptor)
        }
    }

    private func add(_ members: String, _ row: Row?, _ arguments: String, mayWait: Bool = false) {
        let line = "{\(members),\"pid\":1,\"tid\":\(row?.number ?? 0),\"args\":\(arguments)},\n"
        state.withLock { state in
            guard state.isOpen else { return }
            state.pending += Array(line.utf8)
            let time = now()
            if !mayWait || state.pending.count >= Self.pendingLimit || time - state.lastWrite >= Self.delay {
                state.lastWrite = time
                write(&state)
            }
        }
    }

    /// Whole lines in one call, so that a killed process leaves no half of one. What cannot be written is lost: a trace
    /// must not end the run.
    private func write(_ state: inout State) {
        var done = 0
        let bytes = state.pending
        while done < bytes.count {
            let part = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            if part < 0 && errno == EINTR { continue }
            if part <= 0 { break }
            done += part
        }
        state.pending.removeAll(keepingCapacity: true)
    }
}

/// Nanoseconds of a clock that never jumps.
private func monotonicNanoseconds() -> Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
}

/// The format's unit, without loss.
private func microseconds(_ nanoseconds: Int) -> String {
    let fraction = String(nanoseconds % 1000)
    return "\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
}

private func quoted(_ text: String) -> String { JSON.string(text).text(.compact) }
