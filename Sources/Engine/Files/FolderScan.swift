/// Lists the files below a folder.
struct FolderScan {
    /// Beyond these a folder is a mistake (a whole disk), and listing it would look like a hang.
    private static let maximumDepth = 32
    private static let maximumFiles = 200_000

    private let accepts: (String) -> Bool
    private var names: [String] = []
    /// Folders above the one being read: a link back to one of them is a circle.
    private var path: [FileSystem.Identity] = []

    /// Paths relative to `root`, with `/` between folders. Hidden entries are left out, symbolic links followed.
    static func files(below root: String, where accepts: @escaping (String) -> Bool) -> [String] {
        var scan = FolderScan(accepts: accepts)
        scan.read(root, prefix: "")
        return scan.names
    }

    private init(accepts: @escaping (String) -> Bool) { self.accepts = accepts }

    private mutating func read(_ folder: String, prefix: String) {
        guard path.count < Self.maximumDepth, let identity = FileSystem.status(folder)?.identity,
            !path.contains(identity), let entries = FileSystem.entries(folder)
        else { return }
        path.append(identity)
        defer { path.removeLast() }
        for entry in entries where !entry.hasPrefix(".") {
            guard names.count < Self.maximumFiles else { return }
            guard let status = FileSystem.status(folder + "/" + entry) else { continue }
            if status.isDirectory {
                read(folder + "/" + entry, prefix: prefix + entry + "/")
            } else if status.isFile && accepts(entry) {
                names.append(prefix + entry)
            }
        }
    }
}
