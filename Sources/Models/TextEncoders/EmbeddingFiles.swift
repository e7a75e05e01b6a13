import Checkpoints
import Tensors
import Text

/// Textual inversions in the embeddings folders.
struct EmbeddingFiles: EmbeddingLibrary {
    /// Path of an embedding's file by name, or `nil`.
    let find: @Sendable (String) -> String?

    func embedding(named name: String, for encoder: String) throws -> PromptEmbedding? {
        guard let path = find(name) else { return nil }
        guard path.hasSuffix(".safetensors") else {
            throw CheckpointError(
                .unsupported, "the embedding \(path) is not a safetensors file; .pt and .bin files are not supported")
        }
        let file = try CheckpointFile(path: path)
        let keys = file.keys
        let key =
            [encoder, "string_to_param"].first { file.contains($0) } ?? keys.first { $0.hasPrefix("bundle_emb.") }
            ?? keys.first
        guard let key, let tensor = try file.tensor(key), (1...2).contains(tensor.shape.rank) else {
            throw CheckpointError(.malformed, "the embedding \(path) holds no vectors")
        }
        return PromptEmbedding(name: name, tensor: key, vectors: tensor)
    }
}
