public import JSON
public import NodeKit
internal import Synchronization

/// What a node gave, as later runs need it.
public struct NodeResult: Sendable {
    /// The values of every output.
    public var outputs: [[any NodeValue]]
    /// What it showed in the front end.
    public var ui: JSONObject?
    /// The files among what it showed.
    var files = WrittenFiles()

    public init(outputs: [[any NodeValue]], ui: JSONObject? = nil) {
        self.outputs = outputs
        self.ui = ui
    }

    init(outputs: [[any NodeValue]], ui: JSONObject?, files: WrittenFiles) {
        self.init(outputs: outputs, ui: ui)
        self.files = files
    }

    /// Whether a loaded model is among the values.
    var holdsModel: Bool { outputs.contains { $0.contains { $0 is any ModelValue } } }

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
/// Loaded models are kept apart from other results, under the same limit: a burst of pictures pushes out pictures, not
/// the model that the next run needs. What counts is memory of the process's own: mapped weights are page cache, which
/// the system takes back by itself; weights that were patched or converted count. Values that a run still needs live on
/// in the run when they are dropped here.
public final class ResultCache: Sendable {
    /// What the cache holds.
    public struct Statistics: Sendable, Hashable {
        /// Of both kinds.
        public var entries: Int
        public var byteCount: Int
        public var evictions: Int
        /// Results with a loaded model in them.
        public var models: Int
        public var modelByteCount: Int
    }

    /// Which results outlive the prompt that made them (engine-semantics.md §14); the byte limits hold beside it.
    public enum Policy: Sendable, Hashable {
        /// All that fit.
        case all
        /// Those that the present prompt uses: others go when it begins (`--cache-classic`).
        case presentPrompt
        /// This many; those of the prompts that were run longest ago go first (`--cache-lru`).
        case count(Int)
        /// None: values live in the run, until their last use (`--cache-none`).
        case none
    }

    private enum Kind { case result, model }

    private struct Entry {
        var result: NodeResult
        var kind: Kind
        var byteCount: Int
        /// The prompt that used it last.
        var prompt: Int
        var older: CacheKey?
        var newer: CacheKey?
    }

    /// The order of use of the entries of one kind.
    private struct Queue {
        var oldest: CacheKey?
        var newest: CacheKey?
        var count = 0
        var byteCount = 0
    }

    /// A dictionary whose entries also form two lists from the least to the most recently used.
    private struct State {
        var entries: [CacheKey: Entry] = [:]
        var results = Queue()
        var models = Queue()
        var evictions = 0
        /// When the models were last measured.
        var measured = 0.0
        /// How many prompts have begun.
        var prompt = 0

        var byteCount: Int { results.byteCount + models.byteCount }

        subscript(kind: Kind) -> Queue {
            get { kind == .model ? models : results }
            _modify { if kind == .model { yield &models } else { yield &results } }
        }

        mutating func unlink(_ entry: Entry) {
            if let older = entry.older {
                entries[older]?.newer = entry.newer
            } else {
                self[entry.kind].oldest = entry.newer
            }
            if let newer = entry.newer {
                entries[newer]?.older = entry.older
            } else {
                self[entry.kind].newest = entry.older
            }
        }

        mutating func append(_ entry: Entry, _ key: CacheKey) {
            var entry = entry
            entry.prompt = prompt
            let newest = self[entry.kind].newest
            entry.older = newest
            entry.newer = nil
            if let newest { entries[newest]?.newer = key } else { self[entry.kind].oldest = key }
            self[entry.kind].newest = key
            entries[key] = entry
        }

        mutating func insert(_ result: NodeResult, _ kind: Kind, _ byteCount: Int, _ key: CacheKey) {
            append(Entry(result: result, kind: kind, byteCount: byteCount, prompt: prompt), key)
            self[kind].count += 1
            self[kind].byteCount += byteCount
        }

        mutating func remove(_ key: CacheKey) -> NodeResult? {
            guard let entry = entries.removeValue(forKey: key) else { return nil }
            unlink(entry)
            self[entry.kind].count -= 1
            self[entry.kind].byteCount -= entry.byteCount
            return entry.result
        }

        /// Models grow while they are used: patched weights are made when a layer is first needed.
        mutating func measureModels() {
            var next = models.oldest
            while let key = next, let entry = entries[key] {
                // A plugin's value may claim anything.
                let byteCount = min(entry.result.byteCount, 1 << 50)
                models.byteCount += byteCount - entry.byteCount
                entries[key]?.byteCount = byteCount
                next = entry.newer
            }
        }
    }

    /// Bytes that results and models may hold together.
    public let byteLimit: Int
    /// Bytes that results may hold of them.
    public let resultLimit: Int
    public let policy: Policy
    private let state = Mutex(State())

    /// - Parameters:
    ///   - byteLimit: 0 keeps nothing.
    ///   - resultLimit: for results without models in them; as much as the whole if absent.
    public init(byteLimit: Int, resultLimit: Int? = nil, policy: Policy = .all) {
        self.policy = policy
        self.byteLimit = byteLimit
        self.resultLimit = min(resultLimit ?? byteLimit, byteLimit)
    }

    /// The result under a key, which becomes the most recently used.
    public subscript(key: CacheKey) -> NodeResult? {
        state.withLock { state in
            guard let entry = state.entries[key] else { return nil }
            if state[entry.kind].newest != key || entry.prompt != state.prompt {
                state.unlink(entry)
                state.append(entry, key)
            }
            return entry.result
        }
    }

    /// A prompt begins: `lookUps` reads all results that it can use, then what the policy does not keep is dropped.
    func beginPrompt(_ lookUps: () -> Void) {
        let present = state.withLock { state in
            state.prompt += 1
            return state.prompt
        }
        lookUps()
        let least: Int
        switch policy {
        case .all, .none: return
        case .presentPrompt: least = 0
        case .count(let count): least = max(count, 0)
        }
        let dropped = state.withLock { state in
            guard state.entries.count > least else { return [NodeResult]() }
            let old = state.entries.filter { $0.value.prompt < present }.sorted { $0.value.prompt < $1.value.prompt }
            return old.prefix(least == 0 ? old.count : state.entries.count - least).compactMap { state.remove($0.key) }
        }
        _ = dropped
    }

    /// Keeps a result; one larger than the whole cache is not kept.
    public func store(_ result: NodeResult, for key: CacheKey) {
        if policy == .none { return }
        let byteCount = result.byteCount
        let kind = result.holdsModel ? Kind.model : .result
        guard byteCount <= (kind == .model ? byteLimit : resultLimit) else { return }
        // What is dropped is freed after the lock is released: large tensors are given back to the system.
        let dropped = state.withLock { state in
            var dropped: [NodeResult] = []
            if let old = state.remove(key) { dropped.append(old) }
            state.insert(result, kind, byteCount, key)
            let now = monotonicSeconds()
            if kind == .model || now - state.measured > 1 {
                state.measureModels()
                state.measured = now
            }
            while let victim = victim(state, sparing: key) {
                if let old = state.remove(victim) { dropped.append(old) }
                state.evictions += 1
            }
            return dropped
        }
        _ = dropped
    }

    /// What has to go next, if anything. Results and models each have a right to half of the memory and may take what
    /// the other leaves.
    private func victim(_ state: State, sparing key: CacheKey) -> CacheKey? {
        func oldest(_ kind: Kind) -> CacheKey? {
            guard let oldest = state[kind].oldest, oldest != key else { return nil }
            return oldest
        }
        if state.results.byteCount > resultLimit, let oldest = oldest(.result) { return oldest }
        guard state.byteCount > byteLimit else { return nil }
        return state.results.byteCount > byteLimit / 2
            ? oldest(.result) ?? oldest(.model) : oldest(.model) ?? oldest(.result)
    }

    public func removeAll() {
        let old = state.withLock { state in
            let old = state.entries
            state = State()
            return old
        }
        _ = old
    }

    /// Drops the results with loaded models in them.
    public func removeModels() {
        let old = state.withLock { state in
            state.entries.filter { $0.value.kind == .model }.compactMap { state.remove($0.key) }
        }
        _ = old
    }

    public var statistics: Statistics {
        state.withLock {
            Statistics(
                entries: $0.entries.count, byteCount: $0.byteCount, evictions: $0.evictions, models: $0.models.count,
                modelByteCount: $0.models.byteCount)
        }
    }
}
