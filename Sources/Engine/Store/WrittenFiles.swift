import JSON
import NodeKit

/// The files that a node wrote and showed: its result holds only as long as they are there as it left them.
struct WrittenFiles: Sendable, Hashable {
    struct File: Sendable, Hashable {
        /// Full path without links.
        var path: String
        /// Below the output folder.
        var name: String
        var byteCount: Int
        /// In nanoseconds since 1970.
        var modified: Int
    }

    var files: [File] = []
    /// Whether all of them outlive the process: previews do not.
    var areKept = true

    init() {}

    /// Looks for `{filename, subfolder, type}` anywhere in what the node showed.
    init(shown ui: JSONObject?, _ folders: any NodeFiles) {
        guard let ui else { return }
        var output: String?
        for file in Self.named(in: .object(ui), depth: 0) {
            guard file.type == "output" else {
                areKept = false
                continue
            }
            let folder = output ?? FileSystem.realPath(folders.outputFolder) ?? folders.outputFolder
            output = folder
            let path = join(folder, file.name)
            // What cannot be seen now cannot be checked later.
            guard let status = FileSystem.status(path), status.isFile else {
                areKept = false
                continue
            }
            files.append(
                File(path: path, name: file.name, byteCount: status.byteCount, modified: status.modified))
        }
    }

    private static func named(in json: JSON, depth: Int) -> [(name: String, type: String)] {
        guard depth < 8 else { return [] }
        switch json {
        case .array(let items): return items.flatMap { named(in: $0, depth: depth + 1) }
        case .object(let members):
            if let name = members["filename"]?.stringValue, let type = members["type"]?.stringValue {
                let subfolder = members["subfolder"]?.stringValue ?? ""
                return [(subfolder.isEmpty ? name : subfolder + "/" + name, type)]
            }
            return members.flatMap { named(in: $0.value, depth: depth + 1) }
        default: return []
        }
    }

    /// Whether the files are as they were written, in the output folder of now.
    func areThere(_ folders: any NodeFiles) -> Bool { missing(folders) == nil }

    /// The first file that is not as it was written.
    func missing(_ folders: any NodeFiles) -> String? {
        for file in files {
            guard let status = FileSystem.status(file.path), status.byteCount == file.byteCount,
                status.modified == file.modified
            else { return file.path }
        }
        guard let first = files.first else { return nil }
        let folder = FileSystem.realPath(folders.outputFolder) ?? folders.outputFolder
        return first.path == join(folder, first.name) ? nil : join(folder, first.name)
    }

    var json: JSON {
        .array(
            files.map {
                .array([.string($0.path), .string($0.name), .int(Int64($0.byteCount)), .int(Int64($0.modified))])
            })
    }

    init?(_ json: JSON?) {
        for item in json?.arrayValue ?? [] {
            guard let path = item[0]?.stringValue, let name = item[1]?.stringValue, let byteCount = item[2]?.intValue,
                let modified = item[3]?.intValue
            else { return nil }
            files.append(File(path: path, name: name, byteCount: byteCount, modified: modified))
        }
    }
}
