import HTTPTypes
import HummingbirdCore
import JSON

/// The front end's settings of a user: one JSON file.
struct Settings: Sendable {
    private static let name = "comfy.settings.json"
    /// Bytes of the file: settings are small, and everybody may add to them.
    static let limit = 8 << 20
    let folder: ConfinedFolder

    func read() throws -> JSONObject {
        let bytes: [UInt8]
        do throws(FolderFault) {
            bytes = try folder.open(ConfinedName(Self.name)).readAll(limit: Self.limit)
        } catch {
            if error.code == .missing { return JSONObject() }
            throw error
        }
        guard let settings = (try? JSON(parsing: bytes))?.objectValue else {
            throw HTTPFailure(
                .internalServerError, "\(folder.path)/\(Self.name) is not a JSON object; repair or remove it")
        }
        return settings
    }

    func merge(_ changes: JSONObject) throws {
        var settings = try read()
        for (key, value) in changes { settings[key] = value }
        let text = Array(JSON.object(settings).text(.pretty).utf8)
        // What cannot be read again, a key with U+0000 or deep nesting, would make all settings unreadable.
        guard (try? JSON(parsing: text)) != nil else {
            throw HTTPFailure(
                .badRequest, "a setting's name or value cannot be kept: it is nested too deeply, or has U+0000")
        }
        guard text.count <= Self.limit else {
            throw HTTPFailure(.contentTooLarge, "the settings would have more than \(Self.limit) bytes")
        }
        try folder.write(text, to: ConfinedName(Self.name), replacing: true)
    }
}

extension FileService {
    /// `/settings` (server-api.md §7).
    func addSettingsRoutes(to routes: inout RouteTable) {
        let turns = FileTurns()
        let unknown = RouteDescription.Answer(401, "Nobody of that name.", .text)
        let malformed = RouteDescription.Answer(400, "Not JSON.", .text)
        let tooLarge = RouteDescription.Answer(413, "Too much.", .text)
        let id = RouteDescription.Parameter("id", in: .path, "The setting's name.")
        routes.get(
            "/settings",
            RouteDescription(
                "All settings.", tag: "users", answers: [.init(200, "Values by name.", .object), unknown])
        ) { request in
            let settings = Settings(folder: try await users.folder(of: request))
            return .json(.object(try await onDisk { try settings.read() }))
        }
        routes.get(
            "/settings/{id}",
            RouteDescription(
                "One setting.", tag: "users", parameters: [id],
                answers: [.init(200, "Its value, or null.", .json(.object([:]))), unknown])
        ) { request in
            let settings = Settings(folder: try await users.folder(of: request))
            return .json(try await onDisk { try settings.read() }[request.parameter("id")] ?? .null)
        }
        routes.post(
            "/settings",
            RouteDescription(
                "Changes settings; those not named stay.", tag: "users", body: [.object],
                answers: [.init(200, "Done."), malformed, unknown, tooLarge])
        ) { request in
            let settings = Settings(folder: try await users.folder(of: request))
            let changes = try await request.jsonObject(upTo: Settings.limit)
            try await turns.run { try settings.merge(changes) }
            return .empty()
        }
        routes.post(
            "/settings/{id}",
            RouteDescription(
                "Changes one setting.", tag: "users", parameters: [id], body: [.json(.object([:]))],
                answers: [.init(200, "Done."), malformed, unknown, tooLarge])
        ) { request in
            let settings = Settings(folder: try await users.folder(of: request))
            let value = try await request.json(upTo: Settings.limit)
            let name = request.parameter("id")
            try await turns.run { try settings.merge([name: value]) }
            return .empty()
        }
    }
}
