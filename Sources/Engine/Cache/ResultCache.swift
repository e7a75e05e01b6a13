public import JSON
public import NodeKit
internal import Synchronization

/// What a node gave, as later runs need it.
public struct NodeResult: Sendable {
    /// The values of every output.
    public var outputs: [[any NodeValue]]
    /// What it showed in the front end.
    public var ui: JSONObject?

    public init(outputs: [[any NodeValue]], ui: JSONObject? = nil) {
        self.outputs = outputs
        self.ui = ui
    }

    /// Bytes held by the values, and a little for the entry itself.
    public var byteCount: Int {
        var total = 1024
        for slot in outputs {
            for value in slot {
                // A plugin's value may claim anything: what does not add up is larger than any cache.
                let (sum, overflow) = total.addingReportingOverflow(max(value.byteCount, 0))
                let (more, again) = sum.addingReportingOverflow(64)
                if overflow || again { return .max }
                total = more
            }
        }
        return total
    }
}

/// Results of nodes, shared by all runs of a process: the least recently used go when their bytes exceed a limit.
///
/// Model weights are mapped files and count as nothing. Values that a run still needs live on in the run when they are
/// dropped here.
public final class ResultCache: Sendable {
    /// What the cache holds.
    public struct Statistics: Sendable, Hashable {
        public var entries: Int
        public var byteCount: Int
        public var evictions: Int
    }

    private struct Entry {
        var result: NodeResult
        var byteCount: Int
        var older: CacheKey?
        var newer: CacheKey?
    }

    /// A dictionary whose entries also form a list from the least to the most recently used.
    private struct State {
        var entries: [CacheKey: Entry] = [:]
        var oldest: CacheKey?
        var newest: CacheKey?
        var byteCount = 0
        var evictions = 0

        mutating func unlink(_ entry: Entry) {
            if let older = entry.older { entries[older]?.newer = entry.newer } else { oldest = entry.newer }
            if let newer = entry.newer { entries[newer]?.older = entry.older } else { newest = entry.older }
        }

        mutating func append(_ entry: Entry, _ key: CacheKey) {
            var entry = entry
            entry.older = newest
            entry.newer = nil
            if let newest { entries[newest]?.newer = key } else { oldest = key }
            newest = key
            entries[key] = entry
        }

        mutating func remove(_ key: CacheKey) -> NodeResult? {
            guard let entry = entries.removeValue(forKey: key) else { return nil }
            unlink(entry)
            byteCount -= entry.byteCount
            return entry.result
        }
    }

    /// Bytes that the values may hold together.
    public let byteLimit: Int
    private let state = Mutex(State())

    /// - Parameter byteLimit: 0 keeps nothing.
    public init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// The result under a key, which becomes the most recently used.
    public subscript(key: CacheKey) -> NodeResult? {
        state.withLock { state in
            guard let entry = state.entries[key] else { return nil }
            if state.newest != key {
                state.unlink(entry)
                state.append(entry, key)
            }
            return entry.result
        }
    }

    /// Keeps a result; one larger than the whole cache is not kept.
    public func store(_ result: NodeResult, for key: CacheKey) {
        let byteCount = result.byteCount
        guard byteCount <= byteLimit else { return }
        // What is dropped is freed after the lock is released: large tensors are given back to the system.
        let dropped = state.withLock { state in
            var dropped: [NodeResult] = []
            if let old = state.remove(key) { dropped.append(old) }
            state.append(Entry(result: result, byteCount: byteCount), key)
            state.byteCount += byteCount
            while state.byteCount > byteLimit, let oldest = state.oldest, oldest != key {
                if let old = state.remove(oldest) { dropped.append(old) }
                state.evictions += 1
            }
            return dropped
        }
        _ = dropped
    }

    public func removeAll() {
        let old = state.withLock { state in
            let old = state.entries
            state = State()
            return old
        }
        _ = old
    }

    public var statistics: Statistics {
        state.withLock { Statistics(entries: $0.entries.count, byteCount: $0.byteCount, evictions: $0.evictions) }
    }
}
