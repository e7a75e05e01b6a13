import Glibc
import Hashing
internal import Synchronization

/// The folder of unfinished work (`<cache>/resume`): one journal per file, named after the node's cache key.
///
/// Several processes may use it at once. Journals go when their node's result is safe, when nobody has written to them
/// for `Limits.days`, and the oldest of them when together they exceed `Limits.byteLimit`.
public final class ResumeFolder: Sendable {
    public struct Limits: Sendable {
        /// The longest time that finished work may be lost for.
        public var checkpointSeconds: Double
        /// Bytes of all journals. One of them takes half of it at most.
        public var byteLimit: Int
        /// Age at which a journal is given up.
        public var days: Int

        public init(checkpointSeconds: Double = 10, byteLimit: Int = 4 << 30, days: Int = 7) {
            self.checkpointSeconds = checkpointSeconds
            self.byteLimit = byteLimit
            self.days = days
        }
    }

    public let path: String
    private let version: String
    private let limits: Limits
    private let hasWarned = Atomic(false)

    /// Touches nothing yet: the folder is made when a node first keeps something.
    ///
    /// - Parameter version: the program's: unfinished work of another is not taken up.
    public init(path: String, version: String, limits: Limits = Limits()) {
        self.path = path
        self.version = version
        self.limits = limits
    }

    /// Opens a journal.
    ///
    /// - Parameters:
    ///   - key: of the node.
    ///   - name: the journal's among those of the node: lower-case letters, digits and "-".
    ///   - warn: told once per process why nothing can be kept, and what goes wrong later.
    /// - Returns: `nil` when another has it, or it cannot be kept.
    func journal(_ key: CacheKey, _ name: String, warn: @escaping @Sendable (String) -> Void) -> JournalFile? {
        let file = "\(path)/\(key)-\(name)\(Self.suffix)"
        do {
            guard FileSystem.makeFolder(path, mode: 0o700) else {
                throw FileError(path, "cannot be made: \(FileSystem.lastProblem())")
            }
            prune(except: file)
            let owner = SHA256.digest("\(version)\n\(key)\n\(name)".utf8)
            let policy = JournalFile.Policy(
                seconds: limits.checkpointSeconds, byteLimit: max(limits.byteLimit / 2, 0), warn: warn)
            return try JournalFile.open(file, owner: owner, policy: policy)
        } catch {
            if !hasWarned.exchange(true, ordering: .relaxed) { warn("an interrupted run will start over: \(error)") }
            return nil
        }
    }

    /// Removes a journal unless another has it.
    func remove(_ file: String) {
        if let file = try? LockedFile.open(file, creates: false) { file.unlink() }
    }

    // MARK: Limits

    private static let suffix = ".journal"

    private struct Entry {
        var path: String
        var byteCount: Int
        var modified: Int
    }

    /// The journals, oldest first.
    private func entries() -> [Entry] {
        (FileSystem.entries(path) ?? []).filter { $0.hasSuffix(Self.suffix) }.compactMap { name in
            guard let status = FileSystem.status(path + "/" + name), status.isFile else { return nil }
            return Entry(path: path + "/" + name, byteCount: status.byteCount, modified: status.modified)
        }.sorted { $0.modified < $1.modified }
    }

    /// Makes room for one more journal.
    private func prune(except file: String) {
        let entries = entries()
        let oldest = Int(wallClockMilliseconds()) * 1_000_000 - limits.days * 86_400_000_000_000
        var total = entries.reduce(0) { $0 &+ $1.byteCount }
        for entry in entries where entry.path != file {
            guard entry.modified < oldest || total > limits.byteLimit / 2 else { continue }
            remove(entry.path)
            total -= entry.byteCount
        }
    }

    /// Removes all journals that nobody has.
    ///
    /// - Returns: how many there were, and their bytes.
    @discardableResult public func removeAll() -> (count: Int, byteCount: Int) {
        let entries = entries()
        for entry in entries { remove(entry.path) }
        return (entries.count, entries.reduce(0) { $0 &+ $1.byteCount })
    }

    /// What is there.
    public var statistics: (count: Int, byteCount: Int) {
        let entries = entries()
        return (entries.count, entries.reduce(0) { $0 &+ $1.byteCount })
    }
}
