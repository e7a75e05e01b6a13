import HTTPTypes
import HummingbirdCore
import JSON

extension FileService {
    /// `/internal/files/{type}` (server-api.md §10).
    func addFolderListRoutes(to routes: inout RouteTable) {
        routes.get(
            "/internal/files/{type}", reach: .bare,
            RouteDescription(
                "The files of the output, input or temp folder, newest first.", tag: "internal",
                parameters: [.init("type", in: .path, "The folder.", schema: .oneOf("output", "input", "temp"))],
                answers: [
                    .init(200, "Names.", .json(.list(of: .type("string")))),
                    .init(400, "Another folder.", .object),
                    .init(413, "More files than can be listed.", .text),
                ])
        ) { request in
            guard let place = Place(rawValue: request.parameter("type")) else {
                let error: JSONObject = ["error": .string("Invalid directory type")]
                throw HTTPFailure(.badRequest, "Invalid directory type", body: .object(error))
            }
            let root = folder(place)
            let entries = try await onDisk { try root.exists() ? root.entries(of: .root) : [] }
            let files = entries.filter { $0.status.kind == .file && !$0.path.hasPrefix(".") }
            let newestFirst = files.sorted { ($1.status.modified, $0.path) < ($0.status.modified, $1.path) }
            return .json(.array(newestFirst.map { .string($0.path) }))
        }
    }
}
