import CoreNodes
import Engine
import Foundation
import JSON
import NodeKit
import TestSupport
import Testing
import TestingNodes

@testable import Server

/// A server in this process on a port of its own.
final class TestServer: Sendable {
    let folder: String
    let server: GraphServer
    let port: Int
    private let files: ModelFolders
    private let run: Task<Void, any Error>

    /// - Parameter folder: with the state of an earlier server; a fresh one if absent, which is removed at the end.
    static func start(
        in folder: String? = nil, extraNodes: [NodePack] = [], editorFolders: [EditorFolder] = [],
        _ change: (inout ServeOptions) -> Void = { _ in }
    ) async throws -> TestServer {
        let place = folder ?? NSTemporaryDirectory() + "graphrun-server-" + UUID().uuidString
        for name in ["input", "output", "models", "user"] {
            try FileManager.default.createDirectory(atPath: "\(place)/\(name)", withIntermediateDirectories: true)
        }
        var options = ServeOptions()
        options.port = 0
        options.userFolder = "\(place)/user"
        change(&options)
        let files = try ModelFolders(
            models: "\(place)/models", input: "\(place)/input", output: "\(place)/output", temporary: "\(place)/temp")
        let server = try GraphServer(
            options,
            ServerParts(
                files: files, version: "test",
                registry: { NodeRegistry([corePack, testingPack] + extraNodes) },
                editorFolders: { editorFolders },
                engine: {
                    GraphEngine(
                        registry: $0, backend: ReferenceBackend(), files: files, cache: ResultCache(byteLimit: 1 << 28))
                }, print: { _ in }))
        let ports = AsyncStream<Int>.makeStream()
        let run = Task {
            defer { ports.continuation.finish() }
            try await server.run { ports.continuation.yield($0.first ?? 0) }
        }
        for await port in ports.stream {
            return TestServer(place, server, port, files, run)
        }
        try await run.value
        throw WireError("the server ended before it listened")
    }

    private init(
        _ folder: String, _ server: GraphServer, _ port: Int, _ files: ModelFolders, _ run: Task<Void, any Error>
    ) {
        self.folder = folder
        self.server = server
        self.port = port
        self.files = files
        self.run = run
    }

    /// Stops the server and waits for its end.
    func stop(removesFolder: Bool = true) async throws {
        server.stop()
        try await run.value
        files.removeTemporaryFolder()
        if removesFolder { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// Waits for the end of a server that was asked to drain.
    func ended() async throws { try await run.value }

    // MARK: Requests

    func request(
        _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8]? = nil
    ) async throws -> Wire.Answer {
        let port = port
        return try await offPool {
            let wire = try Wire(port: port)
            var text = "\(method) \(path) HTTP/1.1\r\nConnection: close\r\n"
            if headers["Host"] == nil { text += "Host: 127.0.0.1:\(port)\r\n" }
            for (name, value) in headers { text += "\(name): \(value)\r\n" }
            if let body { text += "Content-Length: \(body.count)\r\n" }
            wire.send(text + "\r\n")
            if let body { wire.send(body) }
            guard let answer = wire.answer(toHead: method == "HEAD") else { throw WireError("no answer to \(path)") }
            return answer
        }
    }

    func get(_ path: String) async throws -> Wire.Answer { try await request("GET", path) }

    func post(_ path: String, _ json: JSON, headers: [String: String] = [:]) async throws -> Wire.Answer {
        try await request("POST", path, headers: headers, body: Array(json.text().utf8))
    }

    /// Queues a prompt.
    ///
    /// - Returns: its id.
    func queue(_ prompt: JSON, client: String? = nil, _ more: JSONObject = JSONObject()) async throws -> String {
        var body = more
        body["prompt"] = prompt
        if let client { body["client_id"] = .string(client) }
        let answer = try await post("/prompt", .object(body))
        guard answer.status == 200, let id = answer.json["prompt_id"]?.stringValue else {
            throw WireError("\(answer.status): \(answer.text)")
        }
        return id
    }

    /// Waits until a prompt is in the history.
    func record(_ id: String) async throws -> JSON {
        for _ in 0..<600 {
            if let record = try await get("/history/\(id)").json[id] { return record }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw WireError("prompt \(id) did not end")
    }

    /// Opens a socket.
    func socket(_ clientID: String, flags: JSONObject? = nil) async throws -> TestSocket {
        let port = port
        return try await offPool {
            let wire = try Wire(port: port)
            guard let answer = wire.upgrade("/ws?clientId=\(clientID)", port: port), answer.status == 101 else {
                throw WireError("no upgrade")
            }
            if let flags {
                wire.sendJSON(.object(["type": .string("feature_flags"), "data": .object(flags)]))
            }
            return TestSocket(wire)
        }
    }
}

/// What a client hears.
final class TestSocket: Sendable {
    let wire: Wire

    init(_ wire: Wire) { self.wire = wire }

    /// The next message.
    func next() async throws -> JSON {
        try await offPool { [wire] in
            while let frame = wire.frame() {
                if case .text(let json) = frame { return json }
            }
            throw WireError("the socket was closed")
        }
    }

    /// The messages up to one that fits, which comes last.
    func until(_ isLast: @escaping @Sendable (JSON) -> Bool) async throws -> [JSON] {
        try await offPool { [wire] in
            var messages: [JSON] = []
            while let frame = wire.frame() {
                guard case .text(let json) = frame else { continue }
                messages.append(json)
                if isLast(json) { return messages }
            }
            throw WireError("the socket was closed after \(messages.map { $0.text() })")
        }
    }

    /// The messages up to the end of a prompt.
    func end(of id: String) async throws -> [JSON] {
        try await until {
            $0["type"]?.stringValue == "executing" && $0["data"]?["prompt_id"]?.stringValue == id
                && $0["data"]?["node"]?.isNull == true
        }
    }
}

extension [JSON] {
    var types: [String] { compactMap { $0["type"]?.stringValue } }
    func data(_ type: String) -> [JSON] { filter { $0["type"]?.stringValue == type }.compactMap { $0["data"] } }
}

/// Graphs of tests.
enum Graphs {
    static func node(_ type: String, _ inputs: JSONObject) -> JSON {
        .object(["class_type": .string(type), "inputs": .object(inputs)])
    }
    static func link(_ id: String, _ slot: Int64 = 0) -> JSON { .array([.string(id), .int(slot)]) }

    static func stub(_ size: Int64 = 32, _ content: String = "BLACK") -> JSON {
        node(
            "StubImage",
            ["content": .string(content), "height": .int(size), "width": .int(size), "batch_size": .int(1)])
    }

    /// A picture, saved.
    static func saved(_ size: Int64 = 32, _ content: String = "BLACK") -> JSON {
        .object([
            "1": stub(size, content),
            "2": node("SaveImage", ["images": link("1"), "filename_prefix": .string("test")]),
        ])
    }

    /// A picture that comes after some seconds of sleep.
    static func slow(_ seconds: Double, _ size: Int64 = 32) -> JSON {
        .object([
            "1": stub(size), "2": node("TestSleep", ["value": link("1"), "seconds": .double(seconds)]),
            "3": node("PreviewImage", ["images": link("2")]),
        ])
    }

    /// A node that fails.
    static let failing: JSON = .object([
        "1": stub(), "2": node("TestSyncError", ["value": link("1")]), "3": node("PreviewImage", ["images": link("2")]),
    ])
}
