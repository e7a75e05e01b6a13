/// Finds the vocabulary files of text encoders.
///
/// Checkpoints do not contain them. They are looked for, in this order:
/// 1. beside the checkpoint: in its folder, and in `clip/`, `t5/`, … and `tokenizer/`, … there;
/// 2. in `tokenizers/clip`, `tokenizers/t5`, `tokenizers/pile-t5` of each models folder;
/// 3. in the `tokenizer`, `tokenizer_2`, `tokenizer_3` folders of a diffusers model: the one the checkpoint belongs to
///    (`…/text_encoder_2/model.safetensors`), then all in the `diffusers` folder of each models folder.
public struct TokenizerLocator: Sendable {
    /// Which vocabulary.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// CLIP-L and CLIP-G: `vocab.json` and `merges.txt`, or `tokenizer.json`.
        case clip
        /// T5-XXL: `tokenizer.json` or `spiece.model`.
        case t5
        /// Pile-T5 of AuraFlow: `tokenizer.model`.
        case pileT5 = "pile-t5"

        /// The files that make one up; any of the lists will do.
        public var fileNames: [[String]] {
            switch self {
            case .clip: [["vocab.json", "merges.txt"], ["tokenizer.json"]]
            case .t5: [["tokenizer.json"], ["spiece.model"]]
            case .pileT5: [["tokenizer.model"], ["spiece.model"]]
            }
        }
    }

    /// Folders laid out as ComfyUI's `models`.
    public var modelFolders: [String]

    public init(modelFolders: [String]) { self.modelFolders = modelFolders }

    /// Sets of files that may be the vocabulary, in the order of preference; all of them exist.
    ///
    /// - Parameter checkpoint: path of the text encoder's file.
    public func candidates(_ kind: Kind, checkpoint: String?) -> [[String]] {
        var found: [[String]] = []
        for folder in folders(kind, checkpoint: checkpoint) {
            for names in kind.fileNames {
                let paths = names.map { folder + "/" + $0 }
                if paths.allSatisfy(FileBytes.exists), !found.contains(paths) { found.append(paths) }
            }
        }
        return found
    }

    private func folders(_ kind: Kind, checkpoint: String?) -> [String] {
        let diffusers = ["tokenizer", "tokenizer_2", "tokenizer_3"]
        var folders: [String] = []
        if let checkpoint {
            let beside = Self.folder(of: checkpoint)
            folders += [beside, beside + "/" + kind.rawValue, beside + "/tokenizers/" + kind.rawValue]
            folders += diffusers.map { beside + "/" + $0 }
        }
        folders += modelFolders.map { $0 + "/tokenizers/" + kind.rawValue }
        if let checkpoint {
            let model = Self.folder(of: Self.folder(of: checkpoint))
            folders += diffusers.map { model + "/" + $0 }
        }
        for models in modelFolders {
            for model in FileBytes.subfolders(of: models + "/diffusers") {
                folders += diffusers.map { "\(models)/diffusers/\(model)/\($0)" }
            }
        }
        return folders
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path == "." ? ".." : "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The CLIP tokenizer.
    ///
    /// - Throws: ``TokenizerError``; with the code `notFound` it says which file to put where.
    public func clip(checkpoint: String?) throws(TokenizerError) -> CLIPTokenizer {
        try load(.clip, checkpoint) { paths throws(TokenizerError) in
            paths.count == 2
                ? try CLIPTokenizer(vocabulary: paths[0], merges: paths[1]) : try CLIPTokenizer(json: paths[0])
        }
    }

    /// The T5-XXL tokenizer.
    ///
    /// - Throws: ``TokenizerError``; with the code `notFound` it says which file to put where.
    public func t5(checkpoint: String?) throws(TokenizerError) -> UnigramTokenizer {
        try load(.t5, checkpoint) { paths throws(TokenizerError) in
            paths[0].hasSuffix(".json")
                ? try UnigramTokenizer(json: paths[0]) : try UnigramTokenizer(sentencePiece: paths[0])
        }
    }

    /// The Pile-T5 tokenizer.
    ///
    /// - Throws: ``TokenizerError``; with the code `notFound` it says which file to put where.
    public func pileT5(checkpoint: String?) throws(TokenizerError) -> SentencePieceTokenizer {
        try load(.pileT5, checkpoint) { paths throws(TokenizerError) in
            let tokenizer = try SentencePieceTokenizer(model: paths[0])
            guard tokenizer.isPairEncoding else {
                throw TokenizerError(.wrongKind, file: paths[0], "holds a unigram model; Pile-T5 needs a BPE model")
            }
            return tokenizer
        }
    }

    /// The first candidate that is of the right kind. A damaged file ends the search: it was meant.
    private func load<Result>(
        _ kind: Kind, _ checkpoint: String?, _ read: ([String]) throws(TokenizerError) -> Result
    ) throws(TokenizerError) -> Result {
        var others: [TokenizerError] = []
        for paths in candidates(kind, checkpoint: checkpoint) {
            do { return try read(paths) } catch {
                guard error.code == .wrongKind else { throw error }
                others.append(error)
            }
        }
        throw missing(kind, others)
    }

    private func missing(_ kind: Kind, _ others: [TokenizerError]) -> TokenizerError {
        let files = kind.fileNames.map { $0.joined(separator: " and ") }.joined(separator: ", or ")
        let source =
            switch kind {
            case .clip: "openai/clip-vit-large-patch14"
            case .t5: "google/t5-v1_1-xxl"
            case .pileT5: "EleutherAI/pile-t5-xl"
            }
        let place = (modelFolders.first ?? "models") + "/tokenizers/" + kind.rawValue
        var message = "no tokenizer for \(kind.title) was found: put \(files) (from \(source)) into \(place)"
        for other in others { message += "; passed over \(other)" }
        return TokenizerError(.notFound, file: "", message)
    }
}

extension TokenizerLocator.Kind {
    fileprivate var title: String {
        switch self {
        case .clip: "CLIP"
        case .t5: "T5"
        case .pileT5: "Pile-T5"
        }
    }
}
