/// Pieces and their ids as a file lists them.
struct Vocabulary: Sendable {
    let file: String
    private(set) var pieces: PieceTable
    /// Ids in the order of the pieces.
    private(set) var ids: [Int32] = []
    /// One more than the largest id.
    private(set) var size = 0

    init(file: String, capacity: Int) {
        self.file = file
        pieces = PieceTable(capacity: capacity)
        ids.reserveCapacity(capacity)
    }

    func id(of piece: Span<UInt8>) -> Int32? { pieces.index(of: piece).map { ids[$0] } }
    func id(of piece: String) -> Int32? { pieces.index(of: piece).map { ids[$0] } }

    /// - Throws: for a piece that is there already or too long, and for an id that no tensor could have a row for.
    mutating func insert(_ piece: [UInt8], id: Int) throws(TokenizerError) {
        func fault(_ message: String) -> TokenizerError {
            let text = String(decoding: piece.prefix(80), as: UTF8.self)
            return TokenizerError(.malformed, file: file, "entry \"\(text)\" \(message)")
        }
        guard piece.count <= PieceTable.maximumLength else {
            throw fault("is \(piece.count) bytes long; at most \(PieceTable.maximumLength) are accepted")
        }
        guard (0..<(1 << 24)).contains(id) else { throw fault("has the id \(id); ids are 0 to \((1 << 24) - 1)") }
        guard pieces.insert(piece.span) != nil else { throw fault("appears twice") }
        ids.append(Int32(id))
        size = max(size, id + 1)
    }

    /// - Throws: when two pieces have one id.
    func checkIDs() throws(TokenizerError) {
        var seen = [Bool](repeating: false, count: size)
        for (index, id) in ids.enumerated() {
            guard !seen[Int(id)] else {
                let text = String(decoding: pieces[index].prefix(80), as: UTF8.self)
                throw TokenizerError(
                    .malformed, file: file, "entry \"\(text)\" has the id \(id), which another entry has already")
            }
            seen[Int(id)] = true
        }
    }
}
