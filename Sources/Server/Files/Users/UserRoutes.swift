import HTTPTypes
import HummingbirdCore
import JSON

extension FileService {
    /// `/users` (server-api.md §7).
    func addUserRoutes(to routes: inout RouteTable) {
        routes.get(
            "/users",
            RouteDescription("Who there is.", tag: "users", answers: [.init(200, "Storage and users.", .object)])
        ) { _ in
            var answer: JSONObject = ["storage": .string("server")]
            if users.hasMany {
                answer["users"] = .object(try await users.all())
            } else {
                answer["migrated"] = .bool(await users.isMigrated())
            }
            return .json(.object(answer))
        }
        routes.post(
            "/users",
            RouteDescription(
                "Adds a user, where the server keeps several apart (--multi-user).", tag: "users",
                body: [.json(.members(["username": .type("string")], required: ["username"]))],
                answers: [
                    .init(200, "The id.", .json(.type("string"))), .init(400, "A name that is taken.", .object, .text),
                    .init(413, "A body that is too large.", .text),
                ])
        ) { request in
            let name = try await request.jsonObject(upTo: ServerRequest.smallBody)["username"]?.stringValue ?? ""
            guard users.hasMany else {
                let message = "This server has one user; --multi-user keeps several apart."
                throw HTTPFailure(.badRequest, message, body: .object(["error": .string(message)]))
            }
            return .json(.string(try await users.add(name)))
        }
    }
}
