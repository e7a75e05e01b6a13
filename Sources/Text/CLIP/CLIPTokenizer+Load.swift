extension CLIPTokenizer {
    /// Loads the pair of files that CLIP was released with.
    ///
    /// - Parameters:
    ///   - vocabulary: path of `vocab.json`.
    ///   - merges: path of `merges.txt`.
    public init(vocabulary: String, merges: String) throws(TokenizerError) {
        try self.init(
            vocabulary: FileBytes.read(vocabulary), merges: FileBytes.read(merges), vocabularyFile: vocabulary,
            mergesFile: merges)
    }

    /// The same from memory; the names appear in errors.
    public init(
        vocabulary: [UInt8], merges: [UInt8], vocabularyFile: String = "vocab.json", mergesFile: String = "merges.txt"
    ) throws(TokenizerError) {
        var reader = try JSONReader(vocabulary, file: vocabularyFile)
        let table = try Vocabulary(&reader, capacity: vocabulary.count / 20)
        try reader.end()
        try self.init(vocabulary: table, mergeLines: merges, mergesFile: mergesFile)
    }

    /// Loads a `tokenizer.json` that holds a CLIP vocabulary.
    public init(json path: String) throws(TokenizerError) {
        try self.init(jsonBytes: FileBytes.read(path), file: path)
    }

    /// The same from memory; the name appears in errors.
    public init(jsonBytes: [UInt8], file: String = "tokenizer.json") throws(TokenizerError) {
        let contents = try TokenizerJSON(jsonBytes, file: file)
        guard case .pairs(let vocabulary, let merges) = contents.model, contents.wordEnd == Self.wordEnd else {
            throw TokenizerError(
                .wrongKind, file: file,
                "holds a \(contents.kind) model; CLIP needs a BPE model with the word end \(Self.wordEnd)")
        }
        try self.init(vocabulary: vocabulary, mergeLines: merges, mergesFile: file)
    }
}

extension Vocabulary {
    /// Reads an object of pieces and ids.
    init(_ reader: inout JSONReader, capacity: Int) throws(TokenizerError) {
        self.init(file: reader.file, capacity: capacity)
        var key: [UInt8] = []
        try reader.beginObject()
        while try reader.nextKey(&key) { try insert(key, id: reader.integer()) }
        try checkIDs()
    }
}
