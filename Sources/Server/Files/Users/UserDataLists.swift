import HTTPTypes
import HummingbirdCore
import JSON

extension FileService {
    /// The two listings of user data.
    func addUserDataLists(to routes: inout RouteTable) {
        let flag = JSON.oneOf("true", "false")
        routes.get(
            "/userdata",
            RouteDescription(
                "The files of a folder of the user.", tag: "users",
                parameters: [
                    .init("dir", "The folder."), .init("recurse", "true: and those below.", schema: flag),
                    .init("full_info", "true: objects instead of paths.", schema: flag),
                    .init("split", "true: lists of path and parts.", schema: flag),
                ],
                answers: [
                    .init(200, "The files.", .json(.list(of: .object([:])))),
                    .init(400, "No folder was given.", .text), .init(401, "Nobody of that name.", .text),
                    .init(403, "A folder outside.", .text), .init(404, "There is no such folder.", .text),
                    .init(413, "More files than can be listed.", .text),
                ])
        ) { request in
            let root = try await users.folder(of: request)
            guard let dir = request.query["dir"], !dir.isEmpty else {
                throw HTTPFailure(.badRequest, "Directory not provided")
            }
            let entries = try await list(root, dir, .forbidden, recursive: request.query.isTrue("recurse"))
            let files = entries.filter { $0.status.kind == .file }
            if request.query.isTrue("full_info") {
                return .json(.array(files.map { .object(Self.fileInfo($0.path, $0.status)) }))
            }
            guard request.query.isTrue("split") else { return .json(.array(files.map { .string($0.path) })) }
            return .json(
                .array(
                    files.map { file in
                        .array([.string(file.path)] + file.path.split(separator: "/").map { .string(String($0)) })
                    }))
        }
        routes.get(
            "/v2/userdata",
            RouteDescription(
                "Files and folders below a folder of the user.", tag: "users",
                parameters: [.init("path", "The folder; the user's own if absent.")],
                answers: [
                    .init(200, "Name, path, type, size, modified of each.", .json(.list(of: .type("object")))),
                    .init(400, "A folder outside.", .text), .init(401, "Nobody of that name.", .text),
                    .init(404, "There is no such folder.", .text),
                    .init(413, "More files than can be listed.", .text),
                ])
        ) { request in
            let root = try await users.folder(of: request)
            let path = request.query["path"] ?? ""
            // Nothing was kept for the user yet.
            if path.isEmpty, try await onDisk({ try !root.exists() }) { return .json(.array([])) }
            let entries = try await list(root, path, .badRequest, recursive: true)
            let prefix = (try? ConfinedName(path))?.path ?? ""
            return .json(
                .array(
                    entries.filter { $0.status.kind != .other }.map { entry in
                        let isFolder = entry.status.kind == .folder
                        var item: JSONObject = [
                            "name": .string(entry.path.split(separator: "/").last.map(String.init) ?? ""),
                            "path": .string(prefix.isEmpty ? entry.path : prefix + "/" + entry.path),
                            "type": .string(isFolder ? "directory" : "file"),
                        ]
                        if !isFolder { item["size"] = .int(Int64(entry.status.byteCount)) }
                        item["modified"] = .double(Double(entry.status.modified) / 1e9)
                        return .object(item)
                    }))
        }
    }

    /// - Parameter refusal: the status for folders outside.
    private func list(
        _ root: ConfinedFolder, _ dir: String, _ refusal: HTTPResponse.Status, recursive: Bool
    ) async throws -> [ConfinedFolder.Entry] {
        try await onDisk {
            do throws(FolderFault) {
                return try root.entries(of: ConfinedName(dir), recursive: recursive)
            } catch {
                switch error.code {
                case .outside, .invalidName: throw HTTPFailure(refusal, "Invalid directory: \(error.message)")
                case .missing, .wrongKind: throw HTTPFailure(.notFound, "Directory not found")
                default: throw error
                }
            }
        }
    }
}

extension QueryItems {
    /// Whether a flag is set.
    func isTrue(_ name: String) -> Bool { ["true", "1"].contains(self[name]?.lowercased() ?? "") }
}
