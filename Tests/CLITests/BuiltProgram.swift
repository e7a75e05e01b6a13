import Foundation
import JSON
import TestSupport
import Testing

/// The built `graphrun`, for what only a process of its own can show.
enum BuiltProgram {
    /// `nil` where only the tests were built.
    static let path: String? = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("graphrun").path
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : nil
    }()

    /// The miniature models, made once.
    static let models: String = {
        let folder = NSTemporaryDirectory() + "/graphrun-models-\(getpid())"
        let made = try? Child(["demo-models", folder])
        made?.wait()
        atexit { try? FileManager.default.removeItem(atPath: BuiltProgram.models) }
        return folder
    }()
}

/// A run of the program whose events are read as they come.
final class Child {
    private let process = Process()
    private let output = Pipe()
    private var buffer = Data()
    private(set) var events: [JSON] = []

    init(_ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: try #require(BuiltProgram.path))
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// The next event; `nil` when the program has ended.
    func next() -> JSON? {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                let line = buffer[buffer.startIndex..<end]
                buffer = Data(buffer[(end + 1)...])
                guard let event = try? JSON(parsing: [UInt8](line)) else { continue }
                events.append(event)
                return event
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            buffer.append(more)
        }
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Reads to the end.
    ///
    /// - Returns: the exit status, or minus the signal that ended the process.
    @discardableResult func wait() -> Int32 {
        while next() != nil {}
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
    }

    func events(_ type: String) -> [JSON] { events.filter { $0["type"] == .string(type) }.compactMap { $0["data"] } }
}
