import Hashing
import JSON

/// Finds out how a node differs from what results on disk were made of.
struct RecordComparison {
    /// Of every node that a result on disk knows of.
    private var records: [CacheKey: ResultRecord] = [:]
    private var byType: [String: [CacheKey]] = [:]

    /// - Parameter entries: the most recently used first.
    init(_ entries: [ResultStore.Entry]) {
        for entry in entries {
            add(entry.key, entry.record)
            for (key, record) in entry.ancestors { add(key, record) }
        }
    }

    private mutating func add(_ key: CacheKey, _ record: ResultRecord) {
        guard records.updateValue(record, forKey: key) == nil else { return }
        byType[record.type, default: []].append(key)
    }

    func contains(_ key: CacheKey) -> Bool { records[key] != nil }

    /// What has changed since the most similar node of the same type; `nil` when there was none.
    ///
    /// - Parameter present: the record of the node that has a key now.
    func differences(_ record: ResultRecord, present: (CacheKey) -> ResultRecord?) -> [String]? {
        let candidates = (byType[record.type] ?? []).prefix(2000).compactMap { records[$0] }
        let nearest = candidates.enumerated().min { a, b in
            let (x, y) = (distance(a.element, record), distance(b.element, record))
            return (x, a.offset) < (y, b.offset)
        }
        return nearest.map { differences(from: $0.element, to: record, depth: 0, present) }
    }

    /// The number of differences; nodes of the same name come first among equals.
    private func distance(_ a: ResultRecord, _ b: ResultRecord) -> Int {
        var count = 0
        for name in Set(a.inputs.keys).union(b.inputs.keys) where a.inputs[name] != b.inputs[name] { count += 1 }
        for name in Set(a.files.keys).union(b.files.keys) where a.files[name] != b.files[name] { count += 1 }
        if a.environment != b.environment { count += 1 }
        return 2 * count + (a.node == b.node ? 0 : 1)
    }

    private func differences(
        from old: ResultRecord, to new: ResultRecord, depth: Int, _ present: (CacheKey) -> ResultRecord?
    ) -> [String] {
        var found: [String] = []
        if old.engine != new.engine { found.append("it was made by another build of graphrun") }
        if old.version != new.version { found.append("the node's version was \(old.version), is \(new.version)") }
        if old.environment != new.environment {
            found.append("backend and precision were \(old.environment), are \(new.environment)")
        }
        for name in Set(old.files.keys).union(new.files.keys).sorted()
        where old.files[name] != new.files[name] && old.inputs[name] == new.inputs[name] {
            found.append("input \(name): the content of the file changed")
        }
        for name in Set(old.inputs.keys).union(new.inputs.keys).sorted() {
            let (before, after) = (old.inputs[name], new.inputs[name])
            if before == after { continue }
            switch (before, after) {
            case (nil, _): found.append("input \(name) was not given")
            case (_, nil): found.append("input \(name) is not given any more")
            case (.constant(let before), .constant(let after)):
                found.append("input \(name) was \(before.text()), is \(after.text())")
            case (.constant(let before), .link): found.append("input \(name) was \(before.text()), is a link")
            case (.link, .constant(let after)): found.append("input \(name) was a link, is \(after.text())")
            case (.link(let oldKey, let oldSlot), .link(let newKey, let newSlot)):
                found += differences(
                    input: name, (oldKey, oldSlot), (newKey, newSlot), depth: depth, present)
            default: break
            }
        }
        return found
    }

    /// Differences of two links, traced back to where they begin.
    private func differences(
        input name: String, _ old: (key: CacheKey, slot: Int), _ new: (key: CacheKey, slot: Int), depth: Int,
        _ present: (CacheKey) -> ResultRecord?
    ) -> [String] {
        if old.key == new.key { return ["input \(name) came from output \(old.slot), comes from output \(new.slot)"] }
        guard let before = records[old.key], let after = present(new.key), depth < 50 else {
            return ["input \(name): something before it changed"]
        }
        guard before.type == after.type else {
            return ["input \(name) came from a \(before.type), comes from a \(after.type)"]
        }
        let causes = differences(from: before, to: after, depth: depth + 1, present)
        let place = "node \(after.node) (\(after.title))"
        if causes.isEmpty { return ["input \(name): \(place) changed"] }
        // What is said of a node further up names that node already.
        return causes.map { $0.hasPrefix("node ") ? $0 : "\(place): \($0)" }
    }
}
