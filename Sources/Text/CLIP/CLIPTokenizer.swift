/// The byte-pair tokenizer of CLIP-L, CLIP-G and the OpenCLIP text towers.
///
/// Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (2021), §2.4; byte-level
/// pairs with an end-of-word mark. Rules in families-unet-sampling.md §4.4.
public struct CLIPTokenizer: Tokenizer {
    static let startLiteral = "<|startoftext|>"
    static let endLiteral = "<|endoftext|>"
    static let wordEnd = "</w>"

    /// Id of `<|startoftext|>`: 49406 in the released vocabulary.
    public let startToken: Int
    /// Id of `<|endoftext|>`: 49407 in the released vocabulary. Also stands for symbols the vocabulary lacks.
    public let endToken: Int
    public let vocabularySize: Int

    /// Ids of the 256 byte symbols, inside a word and at its end; −1 where the vocabulary has none.
    private let innerBytes: [Int32]
    private let lastBytes: [Int32]
    private let merges: MergeTable

    /// - Parameters:
    ///   - vocabulary: symbols and their ids.
    ///   - mergeLines: lines `LEFT RIGHT`, best first; a first line `#version: …` is passed over.
    init(vocabulary: Vocabulary, mergeLines: [UInt8], mergesFile: String) throws(TokenizerError) {
        func special(_ literal: String) throws(TokenizerError) -> Int {
            guard let id = vocabulary.id(of: literal) else {
                throw TokenizerError(
                    .wrongKind, file: vocabulary.file, "has no entry \(literal); a CLIP vocabulary has one")
            }
            return Int(id)
        }
        startToken = try special(Self.startLiteral)
        endToken = try special(Self.endLiteral)
        vocabularySize = vocabulary.size
        var inner: [Int32] = []
        var last: [Int32] = []
        for byte in UInt8.min...UInt8.max {
            let symbol = String(ByteSymbols.scalar(for: byte))
            inner.append(vocabulary.id(of: symbol) ?? -1)
            last.append(vocabulary.id(of: symbol + Self.wordEnd) ?? -1)
        }
        innerBytes = inner
        lastBytes = last
        merges = try Self.merges(mergeLines, vocabulary, file: mergesFile)
    }

    private static func merges(
        _ lines: [UInt8], _ vocabulary: Vocabulary, file: String
    ) throws(TokenizerError) -> MergeTable {
        var table = MergeTable(capacity: vocabulary.pieces.count)
        var joined: [UInt8] = []
        var number = 0
        var start = 0
        let bytes = lines.span
        while start < bytes.count {
            var end = start
            var space = -1
            var spaces = 0
            while end < bytes.count, bytes[end] != 0x0A {
                if bytes[end] == 0x20 {
                    space = end
                    spaces += 1
                }
                end += 1
            }
            let next = end + 1
            if end > start, bytes[end - 1] == 0x0D { end -= 1 }
            defer { start = next }
            number += 1
            if end == start { continue }
            if number == 1, lines[start..<end].starts(with: "#version".utf8) { continue }
            func fault(_ message: String) -> TokenizerError {
                let line = String(decoding: lines[start..<min(end, start + 80)], as: UTF8.self)
                return TokenizerError(.malformed, file: file, "merge \(number) \"\(line)\" \(message)")
            }
            guard spaces == 1, space > start, space + 1 < end else { throw fault("is not two symbols and a space") }
            let left = bytes.extracting(start..<space)
            let right = bytes.extracting(space + 1..<end)
            guard let leftID = vocabulary.id(of: left), let rightID = vocabulary.id(of: right) else {
                throw fault("joins a symbol that the vocabulary \(vocabulary.file) lacks")
            }
            joined.removeAll(keepingCapacity: true)
            joined.append(contentsOf: lines[start..<space])
            joined.append(contentsOf: lines[space + 1..<end])
            guard let id = vocabulary.id(of: joined.span) else {
                throw fault("makes a symbol that the vocabulary \(vocabulary.file) lacks")
            }
            table.append(leftID, rightID, id: id)
        }
        return table
    }

    public func encode(_ text: String) -> [Int] {
        var ids: [Int] = []
        var rest = text[...]
        // Special tokens count only as they are spelled; the rest is cleaned and lower-cased.
        while let (range, id) = firstSpecial(in: rest) {
            encode(plain: rest[..<range.lowerBound], into: &ids)
            ids.append(id)
            rest = rest[range.upperBound...]
        }
        encode(plain: rest, into: &ids)
        return ids
    }

    private func firstSpecial(in text: Substring) -> (Range<String.Index>, Int)? {
        let scalars = text.unicodeScalars
        for index in scalars.indices where scalars[index] == "<" {
            for (literal, id) in [(Self.startLiteral, startToken), (Self.endLiteral, endToken)]
            where scalars[index...].starts(with: literal.unicodeScalars) {
                return (index..<scalars.index(index, offsetBy: literal.unicodeScalars.count), id)
            }
        }
        return nil
    }

    private func encode(plain text: Substring, into ids: inout [Int]) {
        for word in CLIPWords.split(text) {
            if word.elementsEqual(Self.startLiteral.utf8) {
                ids.append(startToken)
            } else if word.elementsEqual(Self.endLiteral.utf8) {
                ids.append(endToken)
            } else {
                encode(word: word, into: &ids)
            }
        }
    }

    private func encode(word: [UInt8], into ids: inout [Int]) {
        let symbols = word.indices.map { index in
            let table = index + 1 == word.count ? lastBytes : innerBytes
            return PairMerging.Symbol(start: index, end: index + 1, id: table[Int(word[index])])
        }
        let merged = PairMerging.run(symbols) { left, right in
            guard left.id >= 0, right.id >= 0, let found = merges.find(left.id, right.id) else { return nil }
            return PairMerging.Merge(priority: Double(found.rank), id: found.id)
        }
        for symbol in merged { ids.append(symbol.id < 0 ? endToken : Int(symbol.id)) }
    }
}

/// GPT-2's table of 256 printable characters, one for each byte.
enum ByteSymbols {
    /// Printable Latin-1 characters stand for themselves; the others get U+0100 and up in order.
    static func scalar(for byte: UInt8) -> Unicode.Scalar {
        func isPrintable(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: true
            default: false
            }
        }
        if isPrintable(byte) { return Unicode.Scalar(byte) }
        let before = (0..<byte).count { !isPrintable($0) }
        return Unicode.Scalar(UInt32(0x100 + before)) ?? "?"
    }
}
