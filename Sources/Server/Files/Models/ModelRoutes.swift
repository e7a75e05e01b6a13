import Engine
import Glibc
import HTTPTypes
import HummingbirdCore
import JSON
import NIOCore

extension FileService {
    /// `/experiment/models`, `/view_metadata`, `/internal/folder_paths` (server-api.md §3, §8, §10).
    func addModelRoutes(to routes: inout RouteTable) {
        let type = RouteDescription.Parameter("type", in: .path, "A type of model folders.")
        let missing = RouteDescription.Answer(404, "There is no such type or file.", .text)
        routes.get(
            "/experiment/models",
            RouteDescription(
                "Types of models and their folders.", tag: "models",
                answers: [.init(200, "Name and folders of each.", .json(.list(of: .type("object"))))])
        ) { _ in
            .json(
                .array(
                    types.models.map { type in
                        .object(["name": .string(type), "folders": .array(folders(type).map { .string($0) })])
                    }))
        }
        routes.get(
            "/experiment/models/{type}",
            RouteDescription(
                "The model files of a type.", tag: "models", parameters: [type],
                answers: [
                    .init(200, "Name, pathIndex, modified, created, size.", .json(.list(of: .type("object")))), missing,
                ])
        ) { request in
            guard let type = types.known(request.parameter("type")) else {
                throw HTTPFailure(.notFound, "\(quoted(request.parameter("type"))) is no type of models")
            }
            return .json(.array(try await onDisk { try modelList(type) }))
        }
        routes.get(
            "/experiment/models/preview/{type}/{index}/{file}",
            RouteDescription(
                "The picture of a model.", tag: "models",
                parameters: [
                    type, .init("index", in: .path, "Which of the folders.", schema: .type("integer")),
                    .init("file", in: .path, "The model's name, slashes encoded as %2F."),
                ],
                answers: [
                    .init(200, "A picture.", .picture("image/webp")), .init(400, "A name that is refused.", .text),
                    .init(403, "A name that leads out.", .text), missing,
                ])
        ) { request in try await modelPreview(request) }
        routes.get(
            "/view_metadata/{type}",
            RouteDescription(
                "The texts in the header of a safetensors file.", tag: "models",
                parameters: [type, .init("filename", "The model's name.")],
                answers: [.init(200, "Texts by name.", .object), missing])
        ) { request in try await metadata(request) }
        routes.get(
            "/internal/folder_paths", reach: .bare,
            RouteDescription(
                "Where models are looked for.", tag: "internal",
                answers: [.init(200, "Lists of folders by type.", .object)])
        ) { _ in
            var paths = JSONObject()
            for type in types.all { paths[type] = .array(folders(type).map { .string($0) }) }
            return .json(.object(paths))
        }
    }

    /// Full paths; what the reference has no folders for here has none.
    private func folders(_ type: String) -> [String] {
        type == "custom_nodes" ? [] : files.modelFolders(type).map(absolutePath)
    }

    private func modelList(_ type: String) throws -> [JSON] {
        let folders = files.modelFolders(type).map(ConfinedFolder.init)
        var list: [JSON] = []
        for text in files.modelNames(type) {
            guard let name = try? ConfinedName(text) else { continue }
            for (index, folder) in folders.enumerated() {
                guard let status = try? folder.status(name), status.kind == .file else { continue }
                list.append(
                    .object([
                        "name": .string(text), "pathIndex": .int(Int64(index)),
                        "modified": .double(Double(status.modified) / 1e9),
                        "created": .double(Double(status.changed) / 1e9), "size": .int(Int64(status.byteCount)),
                    ]))
            }
        }
        return list
    }

    private func modelPreview(_ request: ServerRequest) async throws -> Response {
        let type = request.parameter("type")
        guard let known = types.known(type), let index = Int(request.parameter("index")),
            case let folders = files.modelFolders(known), folders.indices.contains(index)
        else { throw HTTPFailure(.notFound, "there is no folder \(quoted(request.parameter("index"))) of that type") }
        let name: ConfinedName
        do throws(FolderFault) { name = try ConfinedName(request.parameter("file")) } catch { throw error.failure }
        guard !name.isRoot else { throw HTTPFailure(.badRequest, "the file name is empty") }
        let preview = ModelPreview(folder: ConfinedFolder(folders[index]), name: name)
        guard let picture = try await onPictures({ try preview.picture() }) else {
            throw HTTPFailure(.notFound, "\(quoted(name.path)) has no picture")
        }
        return Response(
            status: .ok, headers: [.contentType: "image/webp", .xContentTypeOptions: "nosniff"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: picture)))
    }

    /// Whatever is wrong, 404: clients ask for every file and look only for what is there.
    private func metadata(_ request: ServerRequest) async throws -> Response {
        guard let type = types.known(request.parameter("type")), let name = request.query["filename"],
            ContentType.ending(name) == "safetensors"
        else { throw HTTPFailure(.notFound, "expected a type of models and the name of a safetensors file") }
        let metadata = try await onDisk { () -> JSONObject? in
            // Looks in the folders of the type alone, and follows no link out of them.
            guard let path = try? files.model(type, name),
                let descriptor = try? Descriptor.open(path, O_RDONLY | O_NONBLOCK),
                let status = try? descriptor.status(), status.kind == .file
            else { return nil }
            return try SafetensorsMetadata.read(OpenedFile(descriptor, status))
        }
        guard let metadata else { throw HTTPFailure(.notFound, "\(quoted(name)) has no metadata") }
        return .json(.object(metadata))
    }
}

/// A path seen from the root.
func absolutePath(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let here = unsafe getcwd(nil, 0) else { return path }
    defer { unsafe free(here) }
    return unsafe String(cString: here) + "/" + path
}
