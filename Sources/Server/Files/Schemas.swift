import JSON

extension JSON {
    /// The schema of one of some texts.
    static func oneOf(_ values: String...) -> JSON {
        .object(["type": .string("string"), "enum": .array(values.map { .string($0) })])
    }
}

extension RouteDescription.Content {
    /// A form with files.
    static func form(_ schema: JSON) -> RouteDescription.Content { .init("multipart/form-data", schema) }
    /// A picture.
    static func picture(_ type: String) -> RouteDescription.Content {
        .init(type, .object(["type": .string("string"), "format": .string("binary")]))
    }
}
