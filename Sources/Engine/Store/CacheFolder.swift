import Glibc

/// The folder that outlives processes: `results` (``ResultStore``), `digests` (``FileDigests``), `resume` (unfinished
/// work of nodes).
public struct CacheFolder: Sendable {
    /// Full or relative path; made when something is first written.
    public let path: String

    public init(_ path: String) { self.path = path }

    var results: String { join(path, "results") }
    var digests: String { join(path, "digests") }
    var resume: String { join(path, "resume") }

    /// Says to programs that make backups that the folder need not be kept (bford.info/cachedir).
    private static let tag = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder belongs to graphrun's cache.\n"
    private var tagPath: String { join(path, "CACHEDIR.TAG") }

    /// Makes the folder. It holds what people wrote and painted, so that others may not look into it.
    func make() {
        if FileSystem.status(tagPath) != nil { return }
        if FileSystem.makeFolder(path), FileSystem.entries(path)?.isEmpty == true { unsafe _ = chmod(path, 0o700) }
        try? writeFile(Array(Self.tag.utf8), to: tagPath)
    }

    /// Removes everything that the program put there, and nothing else: the path may be any folder by mistake.
    ///
    /// - Throws: ``FileError`` when it is no cache folder.
    public func clear() throws(FileError) {
        guard FileSystem.status(path) != nil else { return }
        guard let tag = try? FileSystem.read(tagPath, limit: 4096), tag == Array(Self.tag.utf8) else {
            if FileSystem.entries(path)?.isEmpty == true { return }
            throw FileError(
                path, "is no cache folder of graphrun (it has no CACHEDIR.TAG of its own); nothing was removed")
        }
        for folder in [results, digests, resume] { FileSystem.removeTree(folder) }
        for folder in [results, digests, resume] where FileSystem.status(folder) != nil {
            throw FileError(folder, "cannot be removed")
        }
    }
}
