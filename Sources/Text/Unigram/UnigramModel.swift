/// Scored pieces and the search for the best cut of a text (Kudo, "Subword Regularization", 2018).
struct UnigramModel: Sendable {
    /// An unknown character costs this much more than the worst piece (SentencePiece's `kUnkPenalty`).
    static let unknownPenalty = 10.0

    /// How sums of scores are kept. It decides between cuts that are equally good on paper.
    enum Arithmetic: Sendable {
        /// Hugging Face keeps float64.
        case double
        /// SentencePiece keeps float32.
        case single
    }

    let pieces: PieceTable
    private let scores: [Double]
    private let ids: [Int32]
    private let unknownScore: Double
    private let unknownID: Int
    private let arithmetic: Arithmetic
    /// Ids of the 256 byte pieces `<0x00>` … when unknown characters become bytes.
    private let byteIDs: [Int]?
    /// Whether any piece has this many bytes.
    private let hasLength: [Bool]

    /// - Parameters:
    ///   - ids: ids in the order of the pieces; piece i has the id i if nil.
    ///   - lowestScore: worst score of an ordinary piece; the lowest of all scores if nil.
    init(
        pieces: PieceTable, scores: [Double], ids: [Int32]? = nil, lowestScore: Double? = nil, unknownID: Int,
        byteIDs: [Int]? = nil, arithmetic: Arithmetic
    ) {
        self.pieces = pieces
        self.scores = scores
        self.ids = ids ?? (0..<Int32(pieces.count)).map { $0 }
        self.unknownID = unknownID
        self.byteIDs = byteIDs
        self.arithmetic = arithmetic
        unknownScore = Self.rounded((lowestScore ?? scores.min() ?? 0) - Self.unknownPenalty, arithmetic)
        var lengths = [Bool](repeating: false, count: pieces.longest + 1)
        for index in 0..<pieces.count { lengths[pieces[index].count] = true }
        hasLength = lengths
    }

    func id(of piece: String) -> Int? { pieces.index(of: piece).map { Int(ids[$0]) } }

    private static func rounded(_ value: Double, _ arithmetic: Arithmetic) -> Double {
        arithmetic == .double ? value : Double(Float(value))
    }

    /// The best way to reach a position.
    private struct Step {
        var score = 0.0
        var start = -1
        /// −1: an unknown character.
        var id: Int32 = -1
    }

    /// Appends the ids of the best cut of UTF-8 text. Neighbouring unknown characters count as one.
    func encode(_ text: [UInt8], into result: inout [Int]) {
        guard !text.isEmpty else { return }
        var cut: [(range: Range<Int>, id: Int32)] = []
        let steps = forward(text.span)
        var end = text.count
        while end > 0 {
            let step = steps[end]
            if step.id < 0, let last = cut.last, last.id < 0 {
                cut[cut.count - 1].range = step.start..<last.range.upperBound
            } else {
                cut.append((step.start..<end, step.id))
            }
            end = step.start
        }
        for piece in cut.reversed() {
            if piece.id >= 0 {
                result.append(Int(piece.id))
            } else if let byteIDs {
                for byte in text[piece.range] { result.append(byteIDs[Int(byte)]) }
            } else {
                result.append(unknownID)
            }
        }
    }

    private func forward(_ text: Span<UInt8>) -> [Step] {
        var steps = [Step](repeating: Step(), count: text.count + 1)
        var start = 0
        while start < text.count {
            let here = steps[start].score
            let character = min(Self.length(of: text[start]), text.count - start)
            func offer(_ end: Int, _ score: Double, _ id: Int32) {
                let total = Self.rounded(score + here, arithmetic)
                if steps[end].start < 0 || total > steps[end].score {
                    steps[end] = Step(score: total, start: start, id: id)
                }
            }
            var isKnown = false
            var hash = PieceTable.emptyHash
            var length = 0
            while length < pieces.longest, start + length < text.count {
                hash = PieceTable.extend(hash, by: text[start + length])
                length += 1
                guard hasLength[length],
                    let piece = pieces.index(of: text.extracting(start..<start + length), hash: hash)
                else { continue }
                offer(start + length, scores[piece], ids[piece])
                if length == character { isKnown = true }
            }
            if !isKnown { offer(start + character, unknownScore, -1) }
            start += character
        }
        return steps
    }

    /// Bytes of the character that begins with `lead`.
    static func length(of lead: UInt8) -> Int {
        switch lead {
        case 0xC0..<0xE0: 2
        case 0xE0..<0xF0: 3
        case 0xF0...: 4
        default: 1
        }
    }
}
