import Foundation
import Images
import JSON
import Tensors
import Testing

@testable import Server

/// Runs a test against a server of its own, which ends with it.
func withServer(
    _ change: (inout ServeOptions) -> Void = { _ in }, _ body: (TestServer) async throws -> Void
) async throws {
    let server = try await TestServer.start(change)
    do {
        try await body(server)
    } catch {
        try? await server.stop()
        throw error
    }
    try await server.stop()
}

extension TestServer {
    func write(_ path: String, _ bytes: [UInt8]) throws {
        let url = URL(fileURLWithPath: folder + "/" + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func write(_ path: String, _ text: String) throws { try write(path, Array(text.utf8)) }

    func read(_ path: String) -> [UInt8]? {
        FileManager.default.contents(atPath: folder + "/" + path).map { Array($0) }
    }

    func names(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/" + path)) ?? []).sorted()
    }

    /// Uploads a file with fields as a form.
    func upload(
        _ bytes: [UInt8], as name: String, to path: String = "/upload/image", _ fields: [String: String] = [:]
    ) async throws -> Wire.Answer {
        var body: [UInt8] = []
        body += "--XyZ\r\nContent-Disposition: form-data; name=\"image\"; filename=\"\(name)\"\r\n".utf8
        body += "Content-Type: image/png\r\n\r\n".utf8
        body += bytes + Array("\r\n".utf8)
        for (field, value) in fields {
            body += "--XyZ\r\nContent-Disposition: form-data; name=\"\(field)\"\r\n\r\n\(value)\r\n".utf8
        }
        body += "--XyZ--\r\n".utf8
        return try await request(
            "POST", path, headers: ["Content-Type": "multipart/form-data; boundary=XyZ"], body: body)
    }
}

/// Small pictures.
enum Pictures {
    /// Left half transparent, colours by place.
    static func rgba(_ width: Int = 24, _ height: Int = 16, alpha: Float = 0.25) throws -> ByteImage {
        try ByteImage(
            truncating: Tensor.build([height, width, 4], of: Float.self) { out in
                for i in 0..<width * height {
                    out[4 * i] = Float(i % width) / Float(width)
                    out[4 * i + 1] = Float(i / width) / Float(height)
                    out[4 * i + 2] = 0.5
                    out[4 * i + 3] = i % width < width / 2 ? alpha : 1
                }
            })
    }

    static func samples(_ image: ByteImage) throws -> [UInt8] {
        try image.tensor.withElements(of: UInt8.self) { span in (0..<span.count).map { span[$0] } }
    }
}

/// Percent-encodes everything but letters, digits, `-`, `.`, `_`.
func encoded(_ text: String) -> String {
    text.utf8.map { byte in
        let scalar = UnicodeScalar(byte)
        return byte < 128 && (CharacterSet.alphanumerics.contains(scalar) || "-._".unicodeScalars.contains(scalar))
            ? String(scalar) : "%" + String(format: "%02X", byte)
    }.joined()
}
