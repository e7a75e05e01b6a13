/// A set of byte strings, numbered from 0 in the order of insertion.
///
/// A vocabulary has up to 256,000 short strings and is loaded at every start, so the strings lie in one array and are
/// found by open addressing: a `[String: Int]` takes ten times as long to fill.
struct PieceTable: Sendable {
    /// Longest piece accepted. Released vocabularies stay below 150 bytes; the limit bounds the search for the
    /// pieces that start at a position.
    static let maximumLength = 4096

    private var arena: [UInt8] = []
    /// Piece i lies at `ends[i] ..< ends[i + 1]`.
    private var ends: [UInt32] = [0]
    private var slots: [Int32]
    private(set) var longest = 0

    var count: Int { ends.count - 1 }

    /// Room for about `capacity` pieces; grows when needed.
    init(capacity: Int = 16) {
        var size = 32
        while size < capacity * 2 { size *= 2 }
        slots = [Int32](repeating: -1, count: size)
        ends.reserveCapacity(capacity + 1)
        arena.reserveCapacity(capacity * 8)
    }

    /// The bytes of a piece.
    subscript(index: Int) -> ArraySlice<UInt8> { arena[Int(ends[index])..<Int(ends[index + 1])] }

    /// Starting value of ``extend(_:by:)``.
    static let emptyHash: UInt64 = 0xcbf2_9ce4_8422_2325

    /// FNV-1a, one byte further: the hashes of all prefixes of a text come from one pass.
    static func extend(_ hash: UInt64, by byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

    static func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var hash = emptyHash
        for index in bytes.indices { hash = extend(hash, by: bytes[index]) }
        return hash
    }

    /// Number of the piece, if it is there.
    func index(of bytes: Span<UInt8>) -> Int? { index(of: bytes, hash: Self.hash(bytes)) }

    func index(of text: String) -> Int? { index(of: Array(text.utf8).span) }

    /// The same where the hash is known already.
    func index(of bytes: Span<UInt8>, hash: UInt64) -> Int? {
        let found = slots[slot(of: bytes, hash: hash)]
        return found < 0 ? nil : Int(found)
    }

    /// Adds a piece at the end. Returns its number, or `nil` when an equal piece is there already.
    ///
    /// - Precondition: at most ``maximumLength`` bytes, and at most `UInt32.max` bytes in all; loaders check both.
    mutating func insert(_ bytes: Span<UInt8>) -> Int? {
        if (count + 1) * 2 > slots.count { grow() }
        let slot = slot(of: bytes, hash: Self.hash(bytes))
        guard slots[slot] < 0 else { return nil }
        let index = count
        slots[slot] = Int32(index)
        for position in bytes.indices { arena.append(bytes[position]) }
        ends.append(UInt32(arena.count))
        longest = max(longest, bytes.count)
        return index
    }

    private func slot(of bytes: Span<UInt8>, hash: UInt64) -> Int {
        let mask = slots.count - 1
        // FNV's low bits are weak for short strings: fold the high half in.
        var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
        while slots[slot] >= 0, !equals(Int(slots[slot]), bytes) { slot = (slot + 1) & mask }
        return slot
    }

    private func equals(_ index: Int, _ bytes: Span<UInt8>) -> Bool {
        let start = Int(ends[index])
        guard Int(ends[index + 1]) - start == bytes.count else { return false }
        let stored = arena.span
        for offset in bytes.indices where stored[start + offset] != bytes[offset] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        let copy = arena
        let all = copy.span
        for index in 0..<count {
            let piece = all.extracting(Int(ends[index])..<Int(ends[index + 1]))
            let slot = slot(of: piece, hash: Self.hash(piece))
            slots[slot] = Int32(index)
        }
    }
}
