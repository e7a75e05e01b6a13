import HTTPTypes
import HummingbirdCore
import NIOCore

/// An answer that sends a file: conditions, ranges, types, in pieces.
struct FileAnswer {
    var file: OpenedFile
    var contentType: String
    /// Shown name, for `Content-Disposition`; `nil` leaves it out.
    var name: String?
    /// `Cache-Control`; `nil` leaves it to the server's rule for paths (server-api.md §2).
    var cacheControl: String?
    /// Whether it may be shown only as data: files of users.
    var isUserFile = false

    private static let chunk = 256 << 10

    func response(to request: ServerRequest) -> Response {
        let validators = Validators(file.status)
        var headers = HTTPFields()
        headers[.eTag] = validators.tag
        headers[.lastModified] = validators.modified.description
        headers[.acceptRanges] = "bytes"
        headers[.cacheControl] = cacheControl
        headers[.xContentTypeOptions] = "nosniff"
        if isUserFile {
            // Should a browser show it as a page in spite of its type: one without origin and scripts.
            headers[.contentSecurityPolicy] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
        }
        switch Conditions(request.headers, validators) {
        case .notModified: return Response(status: .notModified, headers: headers)
        case .failed: return Response(status: .preconditionFailed, headers: headers)
        case .send: break
        }
        headers[.contentType] = contentType
        if let name { headers[.contentDisposition] = Self.disposition(name) }
        let wanted = Conditions.allowsRange(request.headers, validators) ? request.headers[.range] : nil
        switch ByteRanges(request.method == .get ? wanted : nil, byteCount: file.byteCount) {
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(file.byteCount)"
            headers[.contentType] = nil
            return Response(status: .rangeNotSatisfiable, headers: headers)
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.byteCount)"
            return Response(status: .partialContent, headers: headers, body: body(range))
        case .whole:
            return Response(status: .ok, headers: headers, body: body(0..<file.byteCount))
        }
    }

    private func body(_ range: Range<Int>) -> ResponseBody {
        let file = file
        return ResponseBody(contentLength: range.count) { writer in
            var offset = range.lowerBound
            while offset < range.upperBound {
                let (start, count) = (offset, min(Self.chunk, range.upperBound - offset))
                let piece = try await blocking { try file.read(at: start, count: count) }
                // Shorter than it was: the announced length cannot be kept, so the connection ends.
                guard piece.readableBytes > 0 else {
                    throw FolderFault(.system, "the file was shortened while it was sent")
                }
                offset += piece.readableBytes
                try await writer.write(piece)
            }
            try await writer.finish(nil)
        }
    }

    /// `filename="x"` as the reference has it, and the exact name for those who know RFC 6266.
    static func disposition(_ name: String) -> String {
        let plain = String(name.map { $0.isASCII && $0 != "\"" && $0 != "\\" && !$0.isNewline ? $0 : "_" })
        if plain == name { return "filename=\"\(name)\"" }
        var encoded = ""
        for byte in name.utf8 {
            let character = Character(UnicodeScalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber || "-._~".contains(character) {
                encoded.append(character)
            } else {
                encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return "filename=\"\(plain)\"; filename*=UTF-8''\(encoded)"
    }
}
