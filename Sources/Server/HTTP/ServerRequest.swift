public import HTTPTypes
public import HummingbirdCore
public import JSON
public import NIOCore

/// A request on its way to a route: the path is taken apart and decoded once.
public struct ServerRequest: Sendable {
    /// As it came; for its body as a stream.
    public let request: Request
    /// The path as it came, without the query.
    public let rawPath: String
    /// The path's segments, each decoded once: `%2F` in one is part of it.
    public let segments: [String]
    public let query: QueryItems
    /// The values of the places in the route's path.
    public internal(set) var parameters: [String: String] = [:]
    /// Bytes that a body may have.
    public let bodyLimit: Int
    /// What the body takes of the room that there is for all.
    private let share: BodyBudget.Share

    /// Bytes of a body that only names things.
    static let smallBody = 1 << 20
    /// The most values of a body.
    private static let room = JSON.Room(values: 4_000_000)
    private static let smallRoom = JSON.Room(values: 100_000)

    public var method: HTTPRequest.Method { request.method }
    public var headers: HTTPFields { request.headers }

    /// - Throws: ``HTTPFailure`` 400 for targets that cannot be decoded.
    init(_ request: Request, bodyLimit: Int, share: BodyBudget.Share) throws(HTTPFailure) {
        self.request = request
        self.bodyLimit = bodyLimit
        self.share = share
        var target = Substring(request.head.path ?? "/")
        // A proxy's form of the target: scheme and host stand in front.
        if !target.hasPrefix("/"), let scheme = target.firstRange(of: "://") {
            let rest = target[scheme.upperBound...]
            target = rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
        }
        if let fragment = target.firstIndex(of: "#") { target = target[..<fragment] }
        let mark = target.firstIndex(of: "?")
        rawPath = String(mark.map { target[..<$0] } ?? target)
        var decoded: [String] = []
        for part in rawPath.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let segment = PercentDecoding.decode(part) else {
                throw HTTPFailure(.badRequest, "the path is not percent-encoded UTF-8")
            }
            decoded.append(segment)
        }
        segments = decoded
        guard let query = QueryItems(mark.map { target[target.index(after: $0)...] } ?? "") else {
            throw HTTPFailure(.badRequest, "the query is not percent-encoded UTF-8")
        }
        self.query = query
    }

    /// A parameter of the path; empty for names that the route does not have.
    public func parameter(_ name: String) -> String { parameters[name] ?? "" }

    /// The whole body.
    ///
    /// - Throws: ``HTTPFailure`` 413 beyond the limit.
    public func body() async throws -> ByteBuffer { try await body(upTo: bodyLimit) }

    /// The whole body of at most so many bytes.
    public func body(upTo limit: Int) async throws -> ByteBuffer {
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw Self.tooLarge(limit) }
        var whole = ByteBuffer()
        for try await part in request.body {
            guard part.readableBytes <= limit - whole.readableBytes else { throw Self.tooLarge(limit) }
            try share.add(part.readableBytes)
            whole.writeImmutableBuffer(part)
        }
        return whole
    }

    /// Bytes of the body that have been read.
    var bodyByteCount: Int { share.count }

    private static func tooLarge(_ limit: Int) -> HTTPFailure {
        HTTPFailure(.contentTooLarge, "the body has more than \(limit) bytes, which is the limit here")
    }

    /// The body as JSON, whatever its content type says (server-api.md §1).
    ///
    /// - Parameter limit: bytes; that of the server if absent.
    /// - Throws: ``HTTPFailure`` 400 for what is not JSON, or has more values than the server has room for.
    public func json(upTo limit: Int? = nil) async throws -> JSON {
        let limit = min(limit ?? bodyLimit, bodyLimit)
        let buffer = try await body(upTo: limit)
        guard buffer.readableBytes > 0 else { throw HTTPFailure(.badRequest, "the body is empty, expected JSON") }
        let room = limit <= Self.smallBody ? Self.smallRoom : Self.room
        let parse: @Sendable () -> Result<JSON, JSONError> = {
            Result { () throws(JSONError) in try JSON(parsing: buffer.readableBytesView, room: room) }
        }
        // What takes a while does not stand in the way of other requests.
        switch buffer.readableBytes > 1 << 16 ? await onThread(parse) : parse() {
        case .success(let json): return json
        case .failure(let error): throw HTTPFailure(.badRequest, "the body is not JSON: \(error)")
        }
    }

    /// The body as a JSON object.
    public func jsonObject(upTo limit: Int? = nil) async throws -> JSONObject {
        let json = try await json(upTo: limit)
        guard case .object(let members) = json else {
            throw HTTPFailure(.badRequest, "the body is \(json.kind), expected a JSON object")
        }
        return members
    }
}
