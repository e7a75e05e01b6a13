/// SentencePiece's byte-pair encoding: neighbours whose joined text is a piece merge, best score first.
struct SentencePiecePairs: Sendable {
    private let pieces: PieceTable
    private let ids: [Int32]
    private let scores: [Float]
    private let isUnused: [Bool]
    private let unknownID: Int
    private let byteIDs: [Int]?

    init(_ contents: SentencePieceModel, byteIDs: [Int]?) throws(TokenizerError) {
        var table = PieceTable(capacity: contents.pieces.count)
        var ids: [Int32] = []
        var scores: [Float] = []
        var isUnused: [Bool] = []
        // Control, unknown and byte pieces never match text.
        for (id, piece) in contents.pieces.enumerated() {
            guard piece.role == .normal || piece.role == .userDefined || piece.role == .unused else { continue }
            guard table.insert(piece.text.span) != nil else {
                throw SentencePieceTokenizer.duplicate(piece, contents.file)
            }
            ids.append(Int32(id))
            scores.append(piece.score)
            isUnused.append(piece.role == .unused)
        }
        pieces = table
        self.ids = ids
        self.scores = scores
        self.isUnused = isUnused
        unknownID = contents.unknownID
        self.byteIDs = byteIDs
    }

    func encode(_ text: [UInt8], userDefined: PieceTable, into result: inout [Int]) {
        let bytes = text.span
        var symbols: [PairMerging.Symbol] = []
        var isFrozen: [Bool] = []
        var position = 0
        while position < bytes.count {
            let rest = bytes.extracting(position..<bytes.count)
            let fixed = userDefined.longestPrefix(of: rest)
            let length = fixed ?? min(UnigramModel.length(of: bytes[position]), rest.count)
            let piece = pieces.index(of: rest.extracting(0..<length))
            symbols.append(
                PairMerging.Symbol(start: position, end: position + length, id: piece.map(Int32.init) ?? -1))
            position += length
            isFrozen.append(fixed != nil)
        }
        // Frozen symbols are known by where they start: they never merge, so they stay as they are.
        var frozenStarts = Set<Int>()
        for (symbol, frozen) in zip(symbols, isFrozen) where frozen { frozenStarts.insert(symbol.start) }

        // An unused piece may stand between two merges but not in the result: remember what it was made of.
        var halves: [Int32: Int] = [:]
        let merged = PairMerging.run(symbols) { left, right in
            if frozenStarts.contains(left.start) || frozenStarts.contains(right.start) { return nil }
            guard let piece = pieces.index(of: text.span.extracting(left.start..<right.end)) else { return nil }
            if isUnused[piece] { halves[Int32(piece)] = left.end - left.start }
            return PairMerging.Merge(priority: -Double(scores[piece]), id: Int32(piece))
        }
        var lastWasUnknown = false
        for symbol in merged {
            emit(text, symbol.start..<symbol.end, symbol.id, halves, &lastWasUnknown, into: &result)
        }
    }

    private func emit(
        _ text: [UInt8], _ range: Range<Int>, _ piece: Int32, _ halves: [Int32: Int], _ lastWasUnknown: inout Bool,
        into result: inout [Int]
    ) {
        // A stack instead of recursion: the depth would be the length of a hostile text.
        var stack = [(range: range, piece: piece)]
        while let (range, piece) = stack.popLast() {
            if piece >= 0, isUnused[Int(piece)], let cut = halves[piece], cut < range.count {
                let middle = range.lowerBound + cut
                for half in [middle..<range.upperBound, range.lowerBound..<middle] {
                    stack.append((half, pieces.index(of: text.span.extracting(half)).map(Int32.init) ?? -1))
                }
                continue
            }
            if piece >= 0 {
                result.append(Int(ids[Int(piece)]))
                lastWasUnknown = false
            } else if let byteIDs {
                for byte in text[range] { result.append(byteIDs[Int(byte)]) }
            } else {
                // Neighbouring unknown characters count as one.
                if !lastWasUnknown { result.append(unknownID) }
                lastWasUnknown = true
            }
        }
    }
}
