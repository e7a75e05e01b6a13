import Engine
import Glibc

/// What a package of nodes has for the editor in the browser: scripts in `web`, workflows in `example_workflows`,
/// translations in `locales`, as ComfyUI's packs have them. They are installed beside the library, and served.
public enum EditorFiles {
    /// What follows the module's name.
    public static let suffix = ".editor"
    static let folders = ["web", "example_workflows", "locales"]

    private static let mostFiles = 5000
    private static let mostBytes = 256 << 20

    /// Copies the package's files; those of an earlier version go.
    ///
    /// - Throws: ``PluginError`` for links, and for more than a pack can mean to have.
    static func install(from package: String, as module: String, into folder: String) throws(PluginError) {
        let target = folder + "/" + module + suffix
        let present = folders.filter { isFolder(package + "/" + $0) }
        guard !present.isEmpty else { return NodeKitFolder.removeTree(target) }
        let passing = folder + "/." + module + suffix + "-\(getpid())"
        NodeKitFolder.removeTree(passing)
        do throws(PluginError) {
            var budget = (files: mostFiles, bytes: mostBytes)
            for name in present { try copy(package + "/" + name, passing + "/" + name, depth: 0, &budget) }
            NodeKitFolder.removeTree(target)
            guard unsafe rename(passing, target) == 0 else {
                throw PluginError("\(target): \(CheckedFile.lastProblem())")
            }
        } catch {
            NodeKitFolder.removeTree(passing)
            throw error
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var record = stat()
        return unsafe stat(path, &record) == 0 && record.st_mode & S_IFMT == S_IFDIR
    }

    private static func copy(
        _ source: String, _ target: String, depth: Int, _ budget: inout (files: Int, bytes: Int)
    ) throws(PluginError) {
        guard depth < 16 else { throw PluginError("\(source): folders are nested too deeply") }
        try makeFolder(target)
        for name in NodeFolder.entries(source) where !name.hasPrefix(".") {
            let (from, to) = (source + "/" + name, target + "/" + name)
            var record = stat()
            guard unsafe lstat(from, &record) == 0 else {
                throw PluginError("\(from): \(CheckedFile.lastProblem())")
            }
            switch record.st_mode & S_IFMT {
            case S_IFDIR: try copy(from, to, depth: depth + 1, &budget)
            case S_IFREG:
                let bytes = try CheckedFile.read(from, limit: budget.bytes)
                budget = (budget.files - 1, budget.bytes - bytes.count)
                guard budget.files >= 0 else { throw PluginError("\(source): more than \(mostFiles) files") }
                do {
                    try writeFile(bytes, to: to)
                } catch {
                    throw PluginError(String(describing: error))
                }
                _ = unsafe chmod(to, 0o644)
            default: throw PluginError("\(from) is neither a file nor a folder: only these are installed")
            }
        }
    }
}

extension NodeLibrary {
    /// Where its files for the editor are; `nil` without any.
    public var editorFolder: String? {
        let path = folder + "/" + module + EditorFiles.suffix
        var record = stat()
        guard unsafe stat(path, &record) == 0, record.st_mode & S_IFMT == S_IFDIR else { return nil }
        return path
    }
}
