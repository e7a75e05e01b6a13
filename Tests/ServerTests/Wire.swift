import Foundation
import JSON

/// A TCP connection of a test, read and written bluntly. Calls block: use them through ``offPool(_:)``.
final class Wire: @unchecked Sendable {
    let file: Int32
    private var buffer: [UInt8] = []

    init(port: Int, receiveBuffer: Int? = nil) throws {
        file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        if var size = receiveBuffer.map(Int32.init) {
            setsockopt(file, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw WireError("connect: \(errno)") }
        timeout(30)
    }

    deinit { close(file) }

    func timeout(_ seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// - Returns: whether all of it could be written.
    @discardableResult func send(_ bytes: [UInt8]) -> Bool {
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes {
                Glibc.send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            start += count
        }
        return true
    }
    @discardableResult func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// More bytes; `nil` at the end of the connection, or after the time-out.
    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = recv(file, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        buffer += chunk[..<count]
        return true
    }

    func read(_ count: Int) -> [UInt8]? {
        while buffer.count < count { guard fill() else { return nil } }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    func readToEnd() -> [UInt8] {
        while fill() {}
        defer { buffer = [] }
        return buffer
    }

    private func line() -> String? {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                let text = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 1)
                return text.hasSuffix("\r") ? String(text.dropLast()) : text
            }
            guard fill() else { return nil }
        }
    }

    struct Answer: Sendable {
        var status: Int
        /// Names in lower case.
        var headers: [String: String]
        var body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSON { (try? JSON(parsing: body)) ?? .null }
    }

    /// The next answer; informational ones are left out.
    func answer(toHead isHead: Bool = false) -> Answer? {
        guard let first = line(), let status = first.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            return nil
        }
        var headers: [String: String] = [:]
        while let text = line(), !text.isEmpty {
            let parts = text.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        }
        if status == 100 { return answer(toHead: isHead) }
        var body: [UInt8] = []
        if isHead || status == 101 || status == 204 || status == 304 {
        } else if headers["transfer-encoding"] == "chunked" {
            while let size = line().flatMap({ Int($0, radix: 16) }) {
                guard let part = read(size) else { return nil }
                body += part
                _ = line()
                if size == 0 { break }
            }
        } else if let length = headers["content-length"].flatMap({ Int($0) }) {
            guard let all = read(length) else { return nil }
            body = all
        } else {
            body = readToEnd()
        }
        return Answer(status: status, headers: headers, body: body)
    }

    // MARK: Sockets

    enum Frame: Sendable, Equatable {
        case text(JSON)
        case binary([UInt8])
        case ping
        case close(Int?)
    }

    /// The handshake; `nil` when it is refused.
    func upgrade(_ path: String, headers: String = "", port: Int) -> Answer? {
        send(
            """
            GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nUpgrade: websocket\r\nConnection: Upgrade\r
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\(headers)\r\n
            """)
        return answer()
    }

    /// A frame as clients send it: masked.
    func sendFrame(_ opcode: UInt8, _ payload: [UInt8], final: Bool = true, masked: Bool = true) {
        var bytes: [UInt8] = [(final ? 0x80 : 0) | opcode]
        let mask: UInt8 = masked ? 0x80 : 0
        if payload.count < 126 {
            bytes.append(mask | UInt8(payload.count))
        } else {
            bytes += [mask | 126, UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255)]
        }
        let key: [UInt8] = [1, 2, 3, 4]
        if masked { bytes += key }
        bytes += masked ? payload.enumerated().map { $1 ^ key[$0 % 4] } : payload
        send(bytes)
    }

    func sendJSON(_ json: JSON) { sendFrame(1, Array(json.text().utf8)) }

    /// The next frame; pings are answered and left out unless asked for.
    func frame(answersPings: Bool = true) -> Frame? {
        while true {
            guard let head = read(2) else { return nil }
            var length = Int(head[1] & 127)
            if length == 126 {
                guard let more = read(2) else { return nil }
                length = Int(more[0]) << 8 | Int(more[1])
            } else if length == 127 {
                guard let more = read(8) else { return nil }
                length = more.reduce(0) { $0 << 8 | Int($1) }
            }
            guard let payload = read(length) else { return nil }
            switch head[0] & 15 {
            case 1: return .text((try? JSON(parsing: payload)) ?? .null)
            case 2: return .binary(payload)
            case 8: return .close(payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil)
            case 9:
                if !answersPings { return .ping }
                sendFrame(10, payload)
            default: break
            }
        }
    }
}

struct WireError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Runs what blocks beside the pool that the server under test shares with the tests.
func offPool<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        // A thread of its own: Dispatch would let the server wait until one of its threads is free.
        Thread { continuation.resume(with: Result { try work() }) }.start()
    }
}
