import HTTPTypes
import HummingbirdCore
import JSON
import NIOCore

/// What the editor asks for at its start beside the API, and its own files (server-api.md §3, §9, §13).
///
/// - Parameter frontEnd: `nil` answers `/` with a page of our own.
func addFrontEndRoutes(to routes: inout RouteTable, _ frontEnd: FrontEnd?, _ server: ServerContext) {
    let object = RouteDescription.Answer(200, "An object; empty without any.", .object)
    routes.get(
        "/extensions",
        RouteDescription(
            "Scripts that the editor loads.", tag: "editor",
            answers: [.init(200, "Their paths.", .json(.list(of: .type("string"))))])
    ) { _ in
        let packs = await server.packFiles
        let paths = try await onDisk { try (frontEnd?.extensionPaths() ?? []) + packs.extensionPaths() }
        return .json(.array(paths.map { .string($0) }))
    }
    routes.get("/i18n", RouteDescription("Translations of node packs.", tag: "editor", answers: [object])) { _ in
        let packs = await server.packFiles
        return .json(.object(try await onDisk { try packs.translations() }))
    }
    routes.get(
        "/workflow_templates",
        RouteDescription("Example workflows of node packs.", tag: "editor", answers: [object])
    ) { _ in
        let packs = await server.packFiles
        return .json(.object(try await onDisk { try packs.templates() }))
    }
    let file = [
        RouteDescription.Parameter("module", in: .path, "The library."),
        RouteDescription.Parameter("path", in: .path, "The file's name in its folder."),
    ]
    routes.get(
        "/workflow_templates/{module}/{path...}",
        RouteDescription(
            "An example workflow, or its picture.", tag: "editor", parameters: file,
            answers: [.init(200, "The file.", .bytes), .init(404, "There is no such file.")])
    ) { request in
        try await packFile(
            "example_workflows", request.parameter("module"), request.parameter("path"), await server.packFiles, request
        )
    }
    routes.get(
        "/", reach: .bare,
        RouteDescription(
            "The editor, or a page that shows queue and pictures.", tag: "editor",
            answers: [.init(200, "A page.", .init("text/html", .type("string"))), .init(304, "It has not changed.")])
    ) { request in
        guard let frontEnd else { return HomePage.response }
        return try await asset("index.html", frontEnd, request)
    }
    routes.get(
        "/{path...}", reach: .bare,
        RouteDescription(
            "The editor's files.", tag: "editor",
            parameters: [.init("path", in: .path, "Relative to the front end's folder.")],
            answers: [.init(200, "The file.", .bytes), .init(404, "There is no such file.")])
    ) { request in
        // Scripts of libraries stand beside those of the editor.
        if request.segments.first == "extensions", request.segments.count > 2 {
            let (packs, module) = (await server.packFiles, request.segments[1])
            if packs.has(module) {
                return try await packFile("web", module, request.segments[2...].joined(separator: "/"), packs, request)
            }
        }
        guard let frontEnd else { return .empty(.notFound) }
        return try await asset(request.parameter("path"), frontEnd, request)
    }
}

/// A file of a library.
private func packFile(
    _ part: String, _ module: String, _ path: String, _ packs: NodePackFiles, _ request: ServerRequest
) async throws -> Response {
    do {
        let file = try await blocking { try packs.open(part, of: module, path) }
        return FileAnswer(file: file, contentType: ContentType.ofAsset(path)).response(to: request)
    } catch let fault as FolderFault {
        if fault.code == .system { throw fault.failure }
        return .empty(.notFound)
    }
}

/// A file of the front end. What is not there has an empty answer, as all unknown paths have.
private func asset(_ path: String, _ frontEnd: FrontEnd, _ request: ServerRequest) async throws -> Response {
    // `//` and a slash at the end are no files, and what begins with a dot is nobody's business.
    guard !path.isEmpty, let name = try? ConfinedName(path), name.path == path,
        !name.parts.contains(where: { $0.hasPrefix(".") })
    else { return .empty(.notFound) }
    do {
        let file = try await blocking { try frontEnd.folder.open(name) }
        return FileAnswer(file: file, contentType: ContentType.ofAsset(name.last)).response(to: request)
    } catch let fault as FolderFault {
        switch fault.code {
        // Folders of documentation are not listed (server-api.md §9).
        case .wrongKind where name.parts.first == "docs": return .empty(.forbidden)
        case .system: throw fault.failure
        default: return .empty(.notFound)
        }
    }
}
