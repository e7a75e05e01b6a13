import HTTPTypes
import HummingbirdCore
import JSON
import NIOCore

/// What the editor asks for at its start beside the API, and its own files (server-api.md §3, §9, §13).
///
/// - Parameter frontEnd: `nil` answers `/` with a page of our own.
func addFrontEndRoutes(to routes: inout RouteTable, _ frontEnd: FrontEnd?) {
    let object = RouteDescription.Answer(200, "An object; empty without any.", .object)
    routes.get(
        "/extensions",
        RouteDescription(
            "Scripts that the editor loads.", tag: "editor",
            answers: [.init(200, "Their paths.", .json(.list(of: .type("string"))))])
    ) { _ in
        let paths = try await onDisk { try frontEnd?.extensionPaths() ?? [] }
        return .json(.array(paths.map { .string($0) }))
    }
    routes.get("/i18n", RouteDescription("Translations of node packs.", tag: "editor", answers: [object])) { _ in
        .json(.object([:]))
    }
    routes.get(
        "/workflow_templates",
        RouteDescription("Example workflows of node packs.", tag: "editor", answers: [object])
    ) { _ in .json(.object([:])) }
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
        guard let frontEnd else { return .empty(.notFound) }
        return try await asset(request.parameter("path"), frontEnd, request)
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
