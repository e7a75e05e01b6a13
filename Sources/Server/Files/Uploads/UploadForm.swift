import HTTPTypes
import HummingbirdCore
import NIOCore

/// A form with one file, which is written to disk as it comes in.
struct UploadForm: Sendable {
    struct File: Sendable {
        var name: String
        var content: UnfinishedFile
    }

    /// Bytes that a field which is no file may have.
    private static let textLimit = 1 << 20

    /// The file of the field that was asked for.
    private(set) var file: File?
    /// The texts of the other fields; the first of each name counts.
    private(set) var texts: [String: String] = [:]

    /// Reads the body of a request.
    ///
    /// - Parameters:
    ///   - field: the field that holds the file; files of other fields are skipped.
    ///   - staging: where the file is kept until it gets its name.
    /// - Throws: ``HTTPFailure`` 400 for malformed forms, 413 beyond the limit for bodies.
    init(_ request: ServerRequest, file field: String, staging: ConfinedFolder) async throws {
        guard let boundary = MultipartHeaders.boundary(request.headers[.contentType]) else {
            throw HTTPFailure(
                .badRequest, "expected a form with a file (Content-Type: multipart/form-data; boundary=…)")
        }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > request.bodyLimit {
            throw Self.tooLarge(request)
        }
        do {
            try await read(request, field, staging, MultipartParser(boundary: boundary))
        } catch let fault as MultipartParser.Fault {
            throw HTTPFailure(.badRequest, fault.description)
        }
    }

    private mutating func read(
        _ request: ServerRequest, _ field: String, _ staging: ConfinedFolder, _ parser: MultipartParser
    ) async throws {
        var parser = parser
        var part: Part?
        var received = 0
        for try await buffer in request.request.body {
            received += buffer.readableBytes
            guard received <= request.bodyLimit else { throw Self.tooLarge(request) }
            for event in try parser.feed(buffer.readableBytesView) {
                switch event {
                case .begin(let headers): part = try await begin(headers, field, staging)
                case .data(let bytes):
                    if let content = part?.content { try await onDisk { try content.append(bytes) } }
                    try part?.append(bytes, limit: Self.textLimit)
                case .end:
                    if let part { try finish(part) }
                    part = nil
                }
            }
        }
        guard parser.isComplete else { throw HTTPFailure(.badRequest, "the form ends before its last boundary") }
    }

    private struct Part {
        var headers: MultipartHeaders
        var content: UnfinishedFile?
        var text: [UInt8]?

        mutating func append(_ bytes: [UInt8], limit: Int) throws {
            guard let count = text?.count else { return }
            guard count + bytes.count <= limit else {
                throw HTTPFailure(.badRequest, "the field \(quoted(headers.name)) has more than \(limit) bytes")
            }
            text? += bytes
        }
    }

    private func begin(
        _ headers: MultipartHeaders, _ field: String, _ staging: ConfinedFolder
    ) async throws -> Part {
        guard headers.fileName != nil else { return Part(headers: headers, text: []) }
        guard headers.name == field, file == nil else { return Part(headers: headers) }
        return Part(headers: headers, content: try await onDisk { try staging.begin() })
    }

    private mutating func finish(_ part: Part) throws {
        if let content = part.content, let name = part.headers.fileName {
            file = File(name: name, content: content)
        } else if let bytes = part.text, texts[part.headers.name] == nil {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw HTTPFailure(.badRequest, "the field \(quoted(part.headers.name)) is not UTF-8")
            }
            texts[part.headers.name] = text
        }
    }

    private static func tooLarge(_ request: ServerRequest) -> HTTPFailure {
        HTTPFailure(
            .contentTooLarge,
            "the upload has more than \(request.bodyLimit) bytes, which is the limit (--max-upload-size)")
    }
}
