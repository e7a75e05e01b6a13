import Glibc
public import Hashing
import JSON
public import NodeKit
import Synchronization

/// Results of nodes on disk, for later processes: one file each (``EntryFile``), named by the key, so that finding one
/// costs one `open`.
///
/// Any number of processes may use a folder at once: files appear complete under their names and are never changed
/// after. What is damaged is removed and computed again; what cannot be written is told once, and runs go on without.
/// The least recently used results go when the bound is exceeded.
public final class ResultStore: Sendable {
    /// What is worth a file.
    public struct Policy: Sendable {
        /// A node that takes less is run again more quickly than its result is read. Output nodes are always stored:
        /// where their results are there nothing above them is looked at.
        public var leastSeconds = 0.02
        /// Reading is taken to give this many bytes a second.
        public var readingSpeed = 500e6
        /// A result larger than this share of the bound would push out too many others.
        public var largestShare = 0.25
        /// From here on results are worth waiting until they are on the disc.
        public var secondsWorthSyncing = 1.0

        public init() {}
    }

    private struct State {
        /// Bytes of all results, as far as this process knows; `nil` until it has looked.
        var total: Int?
        /// Bytes written since then.
        var written = 0
        /// No writing before this moment.
        var pausedUntil = 0.0
        var limit: Int?
        var wasWarned = false
    }

    private let folder: CacheFolder
    private let results: ResultFolder
    private let givenLimit: Int?
    private let codec: ResultCodec
    private let policy: Policy
    private let warn: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - byteLimit: bound for all results together; `nil`: 16 GiB, or a quarter of what the disc has for it.
    ///   - types: the values that can be stored.
    ///   - warn: told about what is damaged or cannot be written.
    public init(
        _ folder: CacheFolder, byteLimit: Int? = nil, types: StorableTypes = .standard, policy: Policy = Policy(),
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.folder = folder
        results = ResultFolder(path: folder.results)
        givenLimit = byteLimit
        codec = ResultCodec(types: types)
        self.policy = policy
        self.warn = warn
    }

    /// Whether there is a file under the key; it may still turn out to be damaged.
    public func contains(_ key: CacheKey) -> Bool { FileSystem.status(results.path(of: key))?.isFile == true }

    /// The result under a key, which becomes the most recently used.
    ///
    /// - Parameter folders: where the files that an output node wrote must still be.
    /// - Returns: `nil` when there is none, when it is damaged, and when files that belong to it are gone.
    public func lookUp(_ key: CacheKey, _ folders: any NodeFiles) -> NodeResult? {
        let path = results.path(of: key)
        do throws(EntryFile.Fault) {
            guard let entry = try EntryReader(path: path, key: key) else { return nil }
            guard let written = WrittenFiles(entry.json["files"]), let stored = entry.json["outputs"] else {
                throw EntryFile.Fault("its head is damaged")
            }
            // A node of a pack that is not there any more: the result may be wanted again.
            guard let outputs = codec.decode(stored, entry.tensors) else { return nil }
            guard written.areThere(folders) else { return nil }
            results.touch(path)
            return NodeResult(outputs: outputs, ui: entry.json["ui"]?.objectValue, files: written)
        } catch {
            unsafe _ = unlink(path)
            warn("a result in \(folder.path) was removed: \(error) (\(path))")
            return nil
        }
    }

    /// Keeps a result if it is worth it and can be written down; never fails.
    ///
    /// - Parameters:
    ///   - seconds: how long it took to compute.
    ///   - lineage: what it was made from; called only for what is stored.
    func store(
        _ result: NodeResult, for key: CacheKey, seconds: Double, isOutput: Bool, lineage: () -> ResultLineage
    ) {
        if !isOutput && seconds < policy.leastSeconds { return }
        if state.withLock({ $0.pausedUntil }) > monotonicSeconds() { return }
        // What shows nothing leaves nothing that could be checked: it may be there for its effects alone.
        if isOutput && result.ui == nil { return }
        guard let encoded = codec.encode(result.outputs) else { return }
        let byteCount = encoded.byteCount
        if !isOutput && seconds < policy.leastSeconds + Double(byteCount) / policy.readingSpeed { return }
        guard result.files.areKept else { return }
        do {
            try write(result, key, encoded, seconds, lineage())
        } catch {
            pause(error)
        }
    }

    private func write(
        _ result: NodeResult, _ key: CacheKey, _ encoded: ResultCodec.Encoded, _ seconds: Double,
        _ lineage: ResultLineage
    ) throws {
        let places = try EntryFile.places(encoded.tensors)
        var ancestors = JSONObject()
        for (key, record) in lineage.ancestors { ancestors[key.description] = record.json }
        var members: JSONObject = [
            "record": lineage.record.json, "ancestors": .object(ancestors), "seconds": .double(seconds),
            "made": .int(wallClockMilliseconds()), "outputs": encoded.outputs,
            "tensors": .array(places.map(\.json)), "files": result.files.json,
        ]
        if let ui = result.ui { members["ui"] = .object(ui) }
        let text = Array(JSON.object(members).text().utf8)
        let byteCount = EntryFile.byteCount(text: text.count, places)
        let limit = limit
        guard text.count < EntryFile.longestText - EntryFile.alignment,
            Double(byteCount) <= Double(limit) * policy.largestShare
        else { return }
        folder.make()
        results.makeFolder(of: key)
        try EntryFile.write(
            to: results.path(of: key), key: key, text: text, tensors: encoded.tensors, places: places,
            isDurable: seconds >= policy.secondsWorthSyncing)
        keepBound(limit, added: results.onDisc(byteCount))
    }

    private var limit: Int {
        if let givenLimit { return givenLimit }
        if let known = state.withLock({ $0.limit }) { return known }
        let limit = results.standardLimit()
        state.withLock { $0.limit = limit }
        return limit
    }

    /// Looks at the folder when this process fills it, and now and then for what others write.
    private func keepBound(_ limit: Int, added: Int) {
        let mustLook = state.withLock { state in
            state.written += added
            guard let total = state.total else { return true }
            return total + state.written > limit || state.written > limit / 8
        }
        guard mustLook else { return }
        // Some room, so that not every further result has to make its own.
        var total = results.entries().reduce(0) { $0 + $1.byteCount }
        if total > limit { total = results.evict(to: limit - limit / 10) }
        state.withLock { state in
            state.total = total
            state.written = 0
        }
    }

    /// A full or read-only disc: one warning, and no further attempt for some minutes.
    private func pause(_ error: any Error) {
        let isFirst = state.withLock { state in
            state.pausedUntil = monotonicSeconds() + 300
            defer { state.wasWarned = true }
            return !state.wasWarned
        }
        if isFirst { warn("results are not kept on disk: \(error)") }
    }

    // MARK: Looking at it

    /// A result as `graphrun cache list` shows it.
    public struct Entry: Sendable {
        public var key: CacheKey
        public var byteCount: Int
        /// How long it took to compute.
        public var seconds: Double
        /// Milliseconds since 1970.
        public var made: Int64
        public var used: Int64
        public var record: ResultRecord
        public var ancestors: [CacheKey: ResultRecord]
        var files: WrittenFiles
    }

    /// Everything that is there, the most recently used first; reads the heads only.
    public func entries() -> [Entry] {
        results.entries().sorted { $0.used > $1.used }.compactMap { file in
            guard let head = EntryReader.head(path: file.path), let json = head.json["record"],
                let record = ResultRecord(json), let files = WrittenFiles(head.json["files"])
            else { return nil }
            var ancestors: [CacheKey: ResultRecord] = [:]
            for (key, json) in head.json["ancestors"]?.objectValue ?? JSONObject() {
                if let key = CacheKey(hexadecimal: key), let record = ResultRecord(json) { ancestors[key] = record }
            }
            return Entry(
                key: head.key, byteCount: head.byteCount, seconds: head.json["seconds"]?.doubleValue ?? 0,
                made: Int64(head.json["made"]?.intValue ?? 0), used: Int64(file.used / 1_000_000), record: record,
                ancestors: ancestors, files: files)
        }
    }

    /// The bound in force.
    public var byteLimit: Int { limit }
}
