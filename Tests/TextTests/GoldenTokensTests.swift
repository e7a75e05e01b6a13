import Foundation
import JSON
import Tensors
import Testing

@testable import Text

/// The embedding files of the golden prompts.
struct GoldenEmbeddings: EmbeddingLibrary {
    func embedding(named name: String, for encoder: String) throws -> PromptEmbedding? {
        switch name {
        case "mini-style", "mini-style.safetensors":
            return PromptEmbedding(name: "mini-style", tensor: "emb_params", vectors: try .zeros([3, 4]))
        case "mini-sdxl":
            // One row for CLIP-G, two for CLIP-L, which is also the first tensor of the file.
            return try encoder == "clip_g"
                ? PromptEmbedding(name: name, tensor: "clip_g", vectors: .zeros([2, 8]))
                : PromptEmbedding(name: name, tensor: "clip_l", vectors: .zeros([2, 4]))
        default: return nil
        }
    }
}

/// 60 prompts against what the reference's tokenizers gave for them.
struct GoldenTokensTests {
    static let prompts: [JSON] = {
        guard let url = Bundle.module.url(forResource: "tokens", withExtension: "json", subdirectory: "Files"),
            let data = try? Data(contentsOf: url), let json = try? JSON(parsing: data)
        else { return [] }
        return json["prompts"]?.arrayValue ?? []
    }()

    private func compare(_ key: String, _ tokenizer: PromptTokenizer) throws {
        #expect(Self.prompts.count == 60)
        for prompt in Self.prompts {
            let text = try #require(prompt["text"]?.stringValue)
            let expected = try #require(prompt[key]?["ids"]?.arrayValue)
            let weights = try #require(prompt[key]?["weights"]?.arrayValue)
            let result = try tokenizer.encode(text, embeddings: GoldenEmbeddings())
            let tag = "\(key) \(prompt["tag"]?.stringValue ?? "")"
            #expect(result.chunks.map(describe) == expected.map(describe), "\(tag)")
            for (chunk, weights) in zip(result.chunks, weights) {
                var want = [Double](repeating: 1, count: chunk.count)
                for (position, weight) in try #require(weights.objectValue) {
                    want[try #require(Int(position))] = try #require(weight.doubleValue)
                }
                #expect(chunk.weights == want, "\(tag)")
            }
        }
    }

    private func describe(_ chunk: TokenChunk) -> [String] {
        chunk.tokens.map {
            switch $0 {
            case .id(let id): "\(id)"
            case .vector(let embedding, let row): "\(embedding.name) \(embedding.tensor) \(row)"
            }
        }
    }

    private func describe(_ chunk: JSON) -> [String] {
        (chunk.arrayValue ?? []).map {
            if let id = $0.intValue { return "\(id)" }
            return
                "\($0["embedding"]?.stringValue ?? "?") \($0["tensor"]?.stringValue ?? "?") \($0["row"]?.intValue ?? -1)"
        }
    }

    @Test(.enabled(if: ReleasedVocabularies.clip, ReleasedVocabularies.missing("clip/vocab.json and clip/merges.txt")))
    func clipL() throws { try compare("clip_l", .clipL(ReleasedVocabularies.clipTokenizer())) }

    @Test(.enabled(if: ReleasedVocabularies.clip, ReleasedVocabularies.missing("clip/vocab.json and clip/merges.txt")))
    func clipG() throws { try compare("clip_g", .clipG(ReleasedVocabularies.clipTokenizer())) }

    @Test(.enabled(if: ReleasedVocabularies.t5, ReleasedVocabularies.missing("t5/tokenizer.json")))
    func t5() throws { try compare("t5xxl", .t5(ReleasedVocabularies.t5Tokenizer())) }

    @Test(.enabled(if: ReleasedVocabularies.pileT5, ReleasedVocabularies.missing("pile-t5/tokenizer.model")))
    func pileT5() throws { try compare("pile_t5xl", .pileT5(ReleasedVocabularies.pileTokenizer())) }
}
