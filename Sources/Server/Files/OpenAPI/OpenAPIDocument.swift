import HTTPTypes
import HummingbirdCore
import JSON
import NIOCore

/// The description of all routes in the OpenAPI format, version 3.1 (spec.openapis.org).
enum OpenAPIDocument {
    static func make(_ routes: [Route], version: String) -> JSON {
        var paths = JSONObject()
        for route in routes {
            // OpenAPI has no words for values with slashes: the front end's files.
            guard let path = path(route.path) else { continue }
            var item = paths[path]?.objectValue ?? JSONObject()
            item[route.method.rawValue.lowercased()] = .object(operation(route, path))
            paths[path] = .object(item)
        }
        let info: JSONObject = [
            "title": .string("graphrun"), "version": .string(version),
            "description": .string(
                "ComfyUI's HTTP API. All paths but those below /internal are also there below /api. Progress and "
                    + "previews come over the socket /ws?clientId=ID."),
            "license": .object(["name": .string("Apache-2.0"), "identifier": .string("Apache-2.0")]),
        ]
        return .object([
            "openapi": .string("3.1.0"), "info": .object(info),
            "servers": .array([.object(["url": .string("/")])]), "paths": .object(paths),
        ])
    }

    private static func path(_ path: RoutePath) -> String? {
        let isWhole = path.segments.allSatisfy { if case .rest = $0 { false } else { true } }
        return isWhole ? path.description : nil
    }

    private static func operation(_ route: Route, _ path: String) -> JSONObject {
        let about = route.description
        let words = path.split { "/{}".contains($0) }.joined(separator: "_")
        var operation: JSONObject = [
            "operationId": .string(route.method.rawValue.lowercased() + "_" + (words.isEmpty ? "root" : words)),
            "summary": .string(about.summary), "tags": .array([.string(about.tag)]),
        ]
        if !about.parameters.isEmpty { operation["parameters"] = .array(about.parameters.map(parameter)) }
        if !about.body.isEmpty {
            operation["requestBody"] = .object([
                "required": .bool(about.bodyIsRequired), "content": .object(contents(about.body)),
            ])
        }
        var answers = JSONObject()
        for answer in about.answers + common { if answers["\(answer.status)"] == nil { add(answer, to: &answers) } }
        operation["responses"] = .object(answers)
        return operation
    }

    /// What any request may be answered before it reaches its route.
    private static let common: [RouteDescription.Answer] = [
        .init(400, "The request cannot be understood.", .text),
        .init(401, "The token is missing or wrong.", .text),
        .init(403, "The origin or host is not allowed.", .text),
        .init(503, "The server is ending or has no memory left.", .text),
    ]

    private static func parameter(_ parameter: RouteDescription.Parameter) -> JSON {
        .object([
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "description": .string(parameter.about), "required": .bool(parameter.isRequired),
            "schema": parameter.schema,
        ])
    }

    private static func add(_ answer: RouteDescription.Answer, to answers: inout JSONObject) {
        var object: JSONObject = ["description": .string(answer.about)]
        if !answer.contents.isEmpty { object["content"] = .object(contents(answer.contents)) }
        answers["\(answer.status)"] = .object(object)
    }

    private static func contents(_ contents: [RouteDescription.Content]) -> JSONObject {
        var object = JSONObject()
        for content in contents { object[content.mediaType] = .object(["schema": content.schema]) }
        return object
    }
}

/// `/openapi.json`; of the routes that are registered so far, and itself.
func addOpenAPIRoute(to routes: inout RouteTable, _ server: ServerContext) {
    let about = RouteDescription(
        "This description.", tag: "server", answers: [.init(200, "In the OpenAPI format.", .object)])
    var described = RouteTable()
    described.get("/openapi.json", about) { _ in .empty() }
    let document = OpenAPIDocument.make(routes.routes + described.routes, version: server.version)
    let bytes = ByteBuffer(string: document.text(.compact))
    routes.get("/openapi.json", about) { _ in .json(bytes: bytes) }
}
