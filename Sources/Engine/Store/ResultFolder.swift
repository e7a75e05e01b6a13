import Glibc
import Hashing

/// The files of the results: `results/3f/3fa4….result`, named by their keys.
struct ResultFolder: Sendable {
    let path: String

    private static let suffix = ".result"
    /// Unfinished files this old belong to processes that were killed.
    private static let abandonedAfter = 3600 * 1_000_000_000

    struct Entry: Sendable {
        var path: String
        var byteCount: Int
        /// When it was last read or written, in nanoseconds since 1970.
        var used: Int
    }

    func path(of key: CacheKey) -> String {
        let name = key.description
        return "\(path)/\(name.prefix(2))/\(name)\(Self.suffix)"
    }

    func makeFolder(of key: CacheKey) { FileSystem.makeFolder("\(path)/\(key.description.prefix(2))") }

    /// All files, whatever is in them; unfinished ones that nobody will finish are removed.
    func entries() -> [Entry] {
        var found: [Entry] = []
        let now = Int(wallClockMilliseconds()) * 1_000_000
        for group in FileSystem.entries(path) ?? [] where group.utf8.count == 2 {
            for name in FileSystem.entries(join(path, group)) ?? [] {
                let file = "\(path)/\(group)/\(name)"
                guard let status = FileSystem.status(file) else { continue }
                if name.hasSuffix(Self.suffix) {
                    found.append(Entry(path: file, byteCount: onDisc(status.byteCount), used: status.modified))
                } else if name.hasPrefix(".graphrun-"), now - status.modified > Self.abandonedAfter {
                    unsafe _ = unlink(file)
                }
            }
        }
        return found
    }

    /// What a file takes on disc, in whole blocks.
    func onDisc(_ byteCount: Int) -> Int { (byteCount + 4095) / 4096 * 4096 }

    /// Makes the file the most recently used. Where that is not allowed the order of eviction is another one, no more.
    func touch(_ path: String) { unsafe _ = utimensat(AT_FDCWD, path, nil, 0) }

    /// Removes the least recently used files until the others take at most `limit` bytes. Two processes may do so at
    /// once: each removes what is still there.
    ///
    /// - Returns: bytes left.
    func evict(to limit: Int) -> Int {
        let all = entries().sorted { $0.used < $1.used }
        var total = all.reduce(0) { $0 + $1.byteCount }
        for entry in all where total > limit {
            unsafe _ = unlink(entry.path)
            total -= entry.byteCount
        }
        return total
    }

    /// The bound where none is given: 16 GiB, or a quarter of what the disc has for it if that is less.
    func standardLimit() -> Int {
        var folder = path
        while FileSystem.status(folder) == nil, let slash = folder.lastIndex(of: "/"), slash != folder.startIndex {
            folder = String(folder[..<slash])
        }
        var disc = statvfs()
        guard unsafe statvfs(FileSystem.status(folder) == nil ? "." : folder, &disc) == 0 else { return 1 << 30 }
        let (free, overflow) = Int(clamping: disc.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: disc.f_frsize))
        let used = entries().reduce(0) { $0 + $1.byteCount }
        return min(16 << 30, overflow ? .max : (free / 4 + used / 4))
    }
}
