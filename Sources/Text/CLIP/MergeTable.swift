/// Which pairs of tokens join, in which order, and to what: an open-addressing table keyed by both ids.
struct MergeTable: Sendable {
    private struct Entry {
        var key: UInt64
        var rank: Int32
        var id: Int32
    }

    private var entries: [Entry]
    private(set) var count = 0

    init(capacity: Int) {
        var size = 32
        while size < capacity * 2 { size *= 2 }
        entries = [Entry](repeating: Entry(key: .max, rank: -1, id: -1), count: size)
    }

    func find(_ left: Int32, _ right: Int32) -> (rank: Int32, id: Int32)? {
        let entry = entries[slot(Self.key(left, right))]
        return entry.rank < 0 ? nil : (entry.rank, entry.id)
    }

    /// Adds a pair at the next rank; a pair that is there already keeps its better rank.
    mutating func append(_ left: Int32, _ right: Int32, id: Int32) {
        if (count + 1) * 2 > entries.count { grow() }
        let key = Self.key(left, right)
        let slot = slot(key)
        if entries[slot].rank < 0 { entries[slot] = Entry(key: key, rank: Int32(count), id: id) }
        count += 1
    }

    /// Ids are not negative, so no key is all ones.
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private func slot(_ key: UInt64) -> Int {
        let mask = entries.count - 1
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 20) & mask
        while entries[slot].rank >= 0, entries[slot].key != key { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        let old = entries
        entries = [Entry](repeating: Entry(key: .max, rank: -1, id: -1), count: old.count * 2)
        for entry in old where entry.rank >= 0 { entries[slot(entry.key)] = entry }
    }
}
