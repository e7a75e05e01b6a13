import HTTPTypes
import HummingbirdCore
import JSON
import NIOCore

extension FileService {
    /// `/userdata` (server-api.md §7): workflows, and what the front end keeps for a user.
    func addUserDataRoutes(to routes: inout RouteTable) {
        addUserDataLists(to: &routes)
        let file = RouteDescription.Parameter(
            "file", in: .path, "The file, relative to the user's folder; slashes encoded as %2F.")
        let overwrite = RouteDescription.Parameter(
            "overwrite", "false refuses to replace a file.", schema: .oneOf("true", "false"))
        let fullInfo = RouteDescription.Parameter(
            "full_info", "true asks for more than the path.", schema: .oneOf("true", "false"))
        let written = RouteDescription.Answer(
            200, "Path, or path, size, modified, created.", .json(.object([:])))
        let refused = [
            RouteDescription.Answer(400, "A name that is refused.", .text), .init(401, "Nobody of that name.", .text),
            .init(403, "A name that leads out of the folder.", .text),
        ]
        let missing = RouteDescription.Answer(404, "There is no such file.", .text)
        let conflict = RouteDescription.Answer(409, "There is one already.", .text)
        routes.get(
            "/userdata/{file}",
            RouteDescription(
                "A file of the user.", tag: "users", parameters: [file],
                answers: [
                    .init(200, "The file.", .bytes), .init(206, "A part of it.", .bytes),
                    .init(304, "It has not changed."), missing, .init(412, "A condition does not hold."),
                    .init(416, "The range lies behind its end."),
                ] + refused)
        ) { request in
            let folder = try await users.folder(of: request)
            let name = try UserDataName(request.parameter("file")).name
            let opened = try await onDisk { try folder.open(name) }
            // The one style sheet that the front end includes by itself.
            let type = name.path == "user.css" ? "text/css; charset=utf-8" : ContentType.ofUserFile(name.last)
            return FileAnswer(file: opened, contentType: type, cacheControl: "no-cache", isUserFile: true)
                .response(to: request)
        }
        routes.post(
            "/userdata/{file}",
            RouteDescription(
                "Writes a file of the user.", tag: "users", parameters: [file, overwrite, fullInfo], body: [.bytes],
                bodyIsRequired: false,
                answers: [written, conflict, .init(413, "More bytes than the server takes.", .text)] + refused)
        ) { request in try await writeUserData(request) }
        routes.add(
            .delete, "/userdata/{file}",
            RouteDescription(
                "Removes a file of the user.", tag: "users", parameters: [file],
                answers: [.init(204, "Done."), missing] + refused)
        ) { request in
            let folder = try await users.folder(of: request)
            let name = try UserDataName(request.parameter("file")).name
            try await onDisk { try folder.remove(name) }
            return Response(status: .noContent)
        }
        routes.post(
            "/userdata/{file}/move/{dest}",
            RouteDescription(
                "Renames a file of the user.", tag: "users",
                parameters: [
                    file, .init("dest", in: .path, "Its new name, encoded the same way."), overwrite, fullInfo,
                ], answers: [written, missing, conflict] + refused)
        ) { request in
            let folder = try await users.folder(of: request)
            let source = try UserDataName(request.parameter("file")).name
            let target = try UserDataName(request.parameter("dest")).name
            let isReplacing = request.query["overwrite"] != "false"
            try await onDisk { try folder.move(source, to: target, replacing: isReplacing) }
            return try await answer(request, folder, target)
        }
    }

    /// Writes the body to disk as it comes in.
    private func writeUserData(_ request: ServerRequest) async throws -> Response {
        let folder = try await users.folder(of: request)
        let name = try UserDataName(request.parameter("file")).name
        let isReplacing = request.query["overwrite"] != "false"
        let tooLarge = HTTPFailure(
            .contentTooLarge,
            "the file has more than \(request.bodyLimit) bytes, which is the limit (--max-upload-size)")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > request.bodyLimit {
            throw tooLarge
        }
        let file = try await onDisk {
            // Before the body is taken, where that can be told.
            if !isReplacing, try folder.isTaken(name) {
                throw FolderFault(.exists, "there is a file \(quoted(name.path)) already")
            }
            return try folder.begin()
        }
        var received = 0
        for try await part in request.request.body {
            received += part.readableBytes
            guard received <= request.bodyLimit else { throw tooLarge }
            try await onDisk { try file.append(part.readableBytesView) }
        }
        try await onDisk {
            do throws(FolderFault) {
                try folder.finish(file, as: name, replacing: isReplacing)
            } catch {
                // A folder of that name, or a file where a folder was meant.
                if error.code == .wrongKind || error.code == .missing {
                    throw HTTPFailure(.badRequest, error.message)
                }
                throw error
            }
        }
        return try await answer(request, folder, name)
    }

    private func answer(
        _ request: ServerRequest, _ folder: ConfinedFolder, _ name: ConfinedName
    ) async throws -> Response {
        guard request.query["full_info"]?.lowercased() == "true" else { return .json(.string(name.path)) }
        let status = try await onDisk { try folder.status(name) }
        return .json(.object(Self.fileInfo(name.path, status)))
    }

    /// What clients are told of a file; times in seconds.
    static func fileInfo(_ path: String, _ status: FileStatus) -> JSONObject {
        [
            "path": .string(path), "size": .int(Int64(status.byteCount)),
            "modified": .double(Double(status.modified) / 1e9), "created": .double(Double(status.changed) / 1e9),
        ]
    }
}
