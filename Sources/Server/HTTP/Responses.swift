public import HTTPTypes
public import HummingbirdCore
public import JSON
public import NIOCore

/// An answer that is an error. Routes throw it.
public struct HTTPFailure: Error, Sendable, CustomStringConvertible {
    public var status: HTTPResponse.Status
    /// What a person reads; also the answer's text unless ``body`` is given.
    public var message: String
    /// The answer, where clients expect a structure.
    public var body: JSON?
    public var headers: HTTPFields

    public init(
        _ status: HTTPResponse.Status, _ message: String, body: JSON? = nil, headers: HTTPFields = HTTPFields()
    ) {
        self.status = status
        self.message = message
        self.body = body
        self.headers = headers
    }

    public var description: String { "\(status.code): \(message)" }

    /// In the structure of the reference's prompt errors: `{error: {type, message, details, extra_info}, node_errors}`.
    public static func structured(
        _ status: HTTPResponse.Status, type: String, _ message: String, details: String = "",
        extraInfo: JSONObject = JSONObject(), headers: HTTPFields = HTTPFields()
    ) -> HTTPFailure {
        let error: JSONObject = [
            "type": .string(type), "message": .string(message), "details": .string(details),
            "extra_info": .object(extraInfo),
        ]
        return HTTPFailure(
            status, message, body: .object(["error": .object(error), "node_errors": .object(JSONObject())]),
            headers: headers)
    }

    var response: Response {
        var response = body.map { Response.json($0, status: status) } ?? Response.text(message, status: status)
        for field in headers { response.headers.append(field) }
        return response
    }
}

extension Response {
    /// JSON as the reference sends it.
    public static func json(_ value: JSON, status: HTTPResponse.Status = .ok) -> Response {
        json(bytes: ByteBuffer(string: value.text(.compact)), status: status)
    }

    /// JSON that is text already.
    public static func json(bytes: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: bytes))
    }

    public static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// An empty body: how the reference answers many requests that change something.
    public static func empty(_ status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "application/octet-stream"])
    }
}
