import HTTPTypes
import JSON

/// Who uses the server, and where their files are (server-api.md §7).
///
/// A name in the header `Comfy-User` keeps the files of people who trust each other apart; it proves nothing.
struct Users: Sendable {
    static let single = "default"
    private static let list = "users.json"
    private static let listLimit = 1 << 20
    private static let header = HTTPField.Name("Comfy-User")
    /// How many there may be; a name costs a request only.
    private static let limit = 1000

    let root: String
    let hasMany: Bool
    private let folder: ConfinedFolder
    private let turns = FileTurns()

    init(folder: String, hasMany: Bool) {
        root = folder
        self.folder = ConfinedFolder(folder)
        self.hasMany = hasMany
    }

    /// The folder of the user who sent a request.
    ///
    /// - Throws: ``HTTPFailure`` 401 for users that do not exist.
    func folder(of request: ServerRequest) async throws -> ConfinedFolder {
        guard hasMany else { return userFolder(Self.single) }
        guard let name = Self.header, let id = request.headers[name], try await all()[id] != nil else {
            throw HTTPFailure(
                .unauthorized, "the user is not known; expected the header Comfy-User with an id of /users")
        }
        return userFolder(id)
    }

    private func userFolder(_ id: String) -> ConfinedFolder { ConfinedFolder(root + "/" + id) }

    /// Whether the folder of the only user is there.
    func isMigrated() async -> Bool {
        (try? await blocking { try userFolder(Self.single).status(.root).kind == .folder }) ?? false
    }

    /// Names by id.
    func all() async throws -> JSONObject { try await onDisk { try read() } }

    private func read() throws -> JSONObject {
        let bytes: [UInt8]
        do throws(FolderFault) {
            bytes = try folder.open(ConfinedName(Self.list)).readAll(limit: Self.listLimit)
        } catch {
            if error.code == .missing { return JSONObject() }
            throw error
        }
        guard let users = (try? JSON(parsing: bytes))?.objectValue else {
            throw HTTPFailure(.internalServerError, "\(root)/\(Self.list) is not a JSON object; repair or remove it")
        }
        return users
    }

    /// Adds a user.
    ///
    /// - Returns: the new id.
    /// - Throws: ``HTTPFailure`` 400 for names that are taken or empty.
    func add(_ name: String) async throws -> String {
        @Sendable func refuse(_ message: String) -> HTTPFailure {
            HTTPFailure(.badRequest, message, body: .object(["error": .string(message)]))
        }
        let trimmed = Substring(name).trimming { $0.isWhitespace }
        guard !trimmed.isEmpty, trimmed.utf8.count <= 100 else {
            throw refuse("A user name of 1 to 100 bytes is needed.")
        }
        return try await turns.run {
            var users = try read()
            guard users.count < Self.limit else { throw refuse("There are \(Self.limit) users already.") }
            guard !users.contains(where: { $0.value.stringValue == String(trimmed) }) else {
                throw refuse("Duplicate username.")
            }
            // An id is the name of a folder too.
            let plain = trimmed.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" ? $0 : "-" }
            let id = "\(String(plain))_\(freshID())"
            users[id] = .string(String(trimmed))
            _ = try userFolder(id).makeFolder(.root)
            try folder.write(
                JSON.object(users).text(.pretty).utf8, to: ConfinedName(Self.list), replacing: true)
            return id
        }
    }
}
