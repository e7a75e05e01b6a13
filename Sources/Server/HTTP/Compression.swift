import HTTPTypes
import HummingbirdCore

/// Decides which answers are compressed; the connection does it.
enum Compression {
    /// Tells the connection so; it does not leave the process.
    static let mark = HTTPField.Name("X-Graphrun-Compress") ?? .contentEncoding

    /// Whole answers of text: parts of files and answers without a body have a length of their own.
    static func prepare(_ response: inout Response, for request: Request) {
        guard request.method != .head, response.status == .ok, response.headers[.contentEncoding] == nil,
            let type = response.headers[.contentType],
            ["text/", "application/json", "application/javascript", "image/svg"].contains(where: { type.hasPrefix($0) })
        else { return }
        response.headers[.vary] = "Accept-Encoding"
        guard let accepted = request.headers[.acceptEncoding], accepted.contains("gzip") || accepted.contains("deflate")
        else { return }
        response.headers[mark] = "1"
        // The length is another one then.
        response.headers[.contentLength] = nil
        // A tag names the bytes that are sent.
        if let tag = response.headers[.eTag], !tag.hasPrefix("W/") { response.headers[.eTag] = "W/" + tag }
    }
}
