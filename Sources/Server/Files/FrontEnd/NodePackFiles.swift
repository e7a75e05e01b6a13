import JSON
import NodeKit

/// What a library of nodes has for the editor (server-api.md §9): scripts, example workflows, translations.
public struct EditorFolder: Sendable {
    public var module: String
    /// Has `web`, `example_workflows` and `locales`, each if there is any.
    public var path: String

    public init(module: String, path: String) {
        self.module = module
        self.path = path
    }
}

/// The files of all libraries.
struct NodePackFiles: Sendable {
    private let folders: [(module: String, folder: ConfinedFolder)]
    /// Bytes of a file of translations.
    private static let limit = 4 << 20

    init(_ folders: [EditorFolder]) { self.folders = folders.map { ($0.module, ConfinedFolder($0.path)) } }

    func has(_ module: String) -> Bool { folders.contains { $0.module == module } }

    /// The paths of the scripts that the editor loads.
    func extensionPaths() throws(FolderFault) -> [String] {
        var paths: [String] = []
        for (module, folder) in folders {
            for entry in try entries(folder, "web", recursive: true) where ContentType.ending(entry.path) == "js" {
                paths.append("/extensions/\(module)/\(entry.path)")
            }
        }
        return paths
    }

    /// Example workflows by module, without their extension.
    func templates() throws(FolderFault) -> JSONObject {
        var templates = JSONObject()
        for (module, folder) in folders {
            let names = try entries(folder, "example_workflows", recursive: false)
                .filter { ContentType.ending($0.path) == "json" }.map { JSON.string(String($0.path.dropLast(5))) }
            if !names.isEmpty { templates[module] = .array(names) }
        }
        return templates
    }

    /// A file of one module: of its scripts, or of its example workflows.
    func open(_ part: String, of module: String, _ path: String) throws(FolderFault) -> OpenedFile {
        guard let folder = folders.first(where: { $0.module == module })?.folder else {
            throw FolderFault(.missing, "there is no library \(quoted(module))")
        }
        return try folder.open(ConfinedName(part).appending(ConfinedName(path)))
    }

    /// The translations of all modules by language: `main.json` as it is, the others under their names.
    func translations() throws(FolderFault) -> JSONObject {
        var all = JSONObject()
        for (_, folder) in folders {
            for entry in try entries(folder, "locales", recursive: true) where ContentType.ending(entry.path) == "json"
            {
                let parts = entry.path.pathParts()
                guard parts.count == 2, let file = try? folder.open(ConfinedName("locales/" + entry.path)),
                    let texts = (try? JSON(parsing: file.readAll(limit: Self.limit)))?.objectValue
                else { continue }
                let name = String(parts[1].dropLast(5))
                let added: JSONObject = name == "main" ? texts : [name: .object(texts)]
                all[parts[0]] = .object(Self.merged(all[parts[0]]?.objectValue ?? JSONObject(), added))
            }
        }
        return all
    }

    private static func merged(_ a: JSONObject, _ b: JSONObject) -> JSONObject {
        var out = a
        for (key, value) in b {
            if let old = out[key]?.objectValue, let new = value.objectValue {
                out[key] = .object(merged(old, new))
            } else {
                out[key] = value
            }
        }
        return out
    }

    private func entries(
        _ folder: ConfinedFolder, _ part: String, recursive: Bool
    ) throws(FolderFault) -> [ConfinedFolder.Entry] {
        do throws(FolderFault) {
            return try folder.entries(of: ConfinedName(part), recursive: recursive).filter { $0.status.kind == .file }
        } catch {
            if error.code == .missing { return [] }
            throw error
        }
    }
}
