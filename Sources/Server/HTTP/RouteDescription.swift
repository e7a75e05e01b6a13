public import JSON

/// What a route says of itself; `/openapi.json` is made of these.
public struct RouteDescription: Sendable {
    /// A part of the path, the query, the header or a cookie.
    public struct Parameter: Sendable {
        public enum Place: String, Sendable { case path, query, header }
        public var name: String
        public var place: Place
        public var about: String
        public var isRequired: Bool
        /// A JSON schema.
        public var schema: JSON

        public init(
            _ name: String, in place: Place = .query, _ about: String, isRequired: Bool = false,
            schema: JSON = .type("string")
        ) {
            self.name = name
            self.place = place
            self.about = about
            self.isRequired = isRequired || place == .path
            self.schema = schema
        }
    }

    /// What a request or an answer carries.
    public struct Content: Sendable {
        public var mediaType: String
        public var schema: JSON

        public init(_ mediaType: String, _ schema: JSON) {
            self.mediaType = mediaType
            self.schema = schema
        }

        public static func json(_ schema: JSON) -> Content { Content("application/json", schema) }
        /// Any JSON object.
        public static let object = Content.json(.type("object"))
        public static let bytes = Content(
            "application/octet-stream", .object(["type": .string("string"), "format": .string("binary")]))
        public static let text = Content("text/plain", .type("string"))
    }

    public struct Answer: Sendable {
        public var status: Int
        public var about: String
        /// Nothing for empty bodies.
        public var contents: [Content]

        public init(_ status: Int, _ about: String, _ contents: Content...) {
            self.status = status
            self.about = about
            self.contents = contents
        }
    }

    public var summary: String
    public var parameters: [Parameter]
    /// What the body may be; nothing for routes that take none.
    public var body: [Content]
    public var bodyIsRequired: Bool
    public var answers: [Answer]
    /// Groups routes in documentation.
    public var tag: String

    public init(
        _ summary: String, tag: String, parameters: [Parameter] = [], body: [Content] = [],
        bodyIsRequired: Bool = true, answers: [Answer]
    ) {
        self.summary = summary
        self.tag = tag
        self.parameters = parameters
        self.body = body
        self.bodyIsRequired = bodyIsRequired
        self.answers = answers
    }
}

extension JSON {
    /// The schema of a plain type: "string", "integer", "object".
    public static func type(_ name: String) -> JSON { .object(["type": .string(name)]) }
    /// The schema of a list.
    public static func list(of item: JSON) -> JSON { .object(["type": .string("array"), "items": item]) }
    /// The schema of an object with some known members.
    public static func members(_ members: JSONObject, required: [String] = []) -> JSON {
        var schema: JSONObject = ["type": .string("object"), "properties": .object(members)]
        if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
        return .object(schema)
    }
}
