/// SentencePiece's compiled normalisation rules: a map from byte strings to byte strings.
///
/// Layout of the blob (SentencePiece, `normalizer.cc`): the size of the trie in bytes as a little-endian `UInt32`, a
/// double-array trie of `UInt32` units (Darts-clone), then the replacements, each ended by a zero byte.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]

    /// - Parameter blob: empty for a map that changes nothing.
    init(_ blob: [UInt8], file: String) throws(TokenizerError) {
        if blob.isEmpty {
            units = []
            replacements = []
            return
        }
        func unit(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(blob[offset + $1]) << UInt32(8 * $1) }
        }
        guard blob.count >= 4, case let size = Int(unit(0)), size % 4 == 0, size <= blob.count - 4 else {
            throw TokenizerError(
                .malformed, file: file,
                "the character map has \(blob.count) bytes, too few for the table it announces")
        }
        units = stride(from: 4, to: 4 + size, by: 4).map(unit)
        replacements = Array(blob[(4 + size)...])
    }

    private func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & (1 << 9)) >> 6)) }

    /// Calls `found` with the length of every key that `text` begins with, shortest first, and the place of its
    /// replacement, until `found` returns false.
    private func forEachPrefix(of text: Span<UInt8>, _ found: (Int, Int) -> Bool) {
        guard let root = units.first else { return }
        var position = offset(root)
        for index in text.indices {
            let byte = text[index]
            position ^= Int(byte)
            guard byte != 0, units.indices.contains(position) else { return }
            let unit = units[position]
            // The sign bit marks values, so a value never passes for a label.
            guard unit & (1 << 31 | 0xFF) == UInt32(byte) else { return }
            position ^= offset(unit)
            guard unit & (1 << 8) != 0 else { continue }
            guard units.indices.contains(position) else { return }
            if !found(index + 1, Int(units[position] & 0x7FFF_FFFF)) { return }
        }
    }

    private func replacement(at start: Int) -> ArraySlice<UInt8> {
        guard replacements.indices.contains(start) else { return [] }
        let rest = replacements[start...]
        return rest[..<(rest.firstIndex(of: 0) ?? rest.endIndex)]
    }

    /// The replacement of the longest key that `text` begins with: SentencePiece's rule.
    func longestMatch(_ text: Span<UInt8>) -> (length: Int, replacement: ArraySlice<UInt8>)? {
        var best: (Int, Int)?
        forEachPrefix(of: text) { length, place in
            best = (length, place)
            return true
        }
        return best.map { ($0.0, replacement(at: $0.1)) }
    }

    /// Rewrites a text as Hugging Face's `Precompiled` normalizer does: a user-perceived character of fewer than six
    /// bytes as a whole, by the **shortest** key it begins with; otherwise each code point by itself.
    func rewrite(_ text: String) -> String {
        var result: [UInt8] = []
        for character in text {
            let bytes = Array(character.utf8)
            if bytes.count < 6, let whole = shortestMatch(bytes) {
                result += whole
                continue
            }
            for scalar in character.unicodeScalars {
                let bytes = Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
                result += shortestMatch(bytes) ?? bytes[...]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private func shortestMatch(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
        var place: Int?
        forEachPrefix(of: bytes.span) { _, found in
            place = found
            return false
        }
        return place.map(replacement(at:))
    }
}
