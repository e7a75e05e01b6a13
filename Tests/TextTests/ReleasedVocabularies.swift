import Glibc
import JSON
import Testing

@testable import Text

/// The released vocabularies, which the repository may not carry: `GRAPHRUN_TOKENIZERS`, else `../shared/tokenizers`
/// beside the package.
enum ReleasedVocabularies {
    static let folder: String = {
        if let set = getenv("GRAPHRUN_TOKENIZERS").map({ String(cString: $0) }), !set.isEmpty { return set }
        var root = #filePath.split(separator: "/")
        root.removeLast(3)
        // Worktrees lie one folder deeper than the checkout.
        for up in 1...2 {
            let candidate = "/" + root.dropLast(up).joined(separator: "/") + "/shared/tokenizers"
            if FileBytes.exists(candidate + "/clip/vocab.json") { return candidate }
        }
        return "/" + root.dropLast().joined(separator: "/") + "/shared/tokenizers"
    }()

    static let clip = FileBytes.exists(folder + "/clip/vocab.json") && FileBytes.exists(folder + "/clip/merges.txt")
    static let t5 = FileBytes.exists(folder + "/t5/tokenizer.json")
    static let pileT5 = FileBytes.exists(folder + "/pile-t5/tokenizer.model")
    static let gemma = FileBytes.exists(folder + "/gemma-mini/tokenizer.model")

    static func missing(_ files: String) -> Comment {
        "needs \(files) in \(folder): set GRAPHRUN_TOKENIZERS to the folder of the released vocabularies"
    }

    static func clipTokenizer() throws -> CLIPTokenizer {
        try CLIPTokenizer(vocabulary: folder + "/clip/vocab.json", merges: folder + "/clip/merges.txt")
    }
    static func t5Tokenizer() throws -> UnigramTokenizer { try UnigramTokenizer(json: folder + "/t5/tokenizer.json") }
    static func pileTokenizer() throws -> SentencePieceTokenizer {
        try SentencePieceTokenizer(model: folder + "/pile-t5/tokenizer.model")
    }
}
