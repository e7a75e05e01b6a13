import Checkpoints
import Tensors

/// The layouts in which image encoders are stored, brought to the names of transformers: transformers itself, and OpenCLIP
/// (`visual.…`).
enum CLIPVisionKeys {
    /// The source under transformers names, without the keys of other parts; `nil` if there is no image encoder in it.
    static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource? {
        if source.contains("vision_model.encoder.layers.0.layer_norm1.weight") {
            return try source.renamed { key, tensor in
                // SigLIP's attention pooling is not asked for, nor the text half of a whole CLIP.
                let isOurs = key.hasPrefix("vision_model.") || key.hasPrefix("visual_projection.")
                guard isOurs, !key.hasPrefix("vision_model.head."), !key.hasSuffix("position_ids") else { return nil }
                return whole(key, tensor)
            }
        }
        let prefix = "visual."
        guard source.contains(prefix + "transformer.resblocks.0.attn.in_proj_weight") else { return nil }
        return try withProjection(
            source.renamed { key, tensor in
                key.hasPrefix(prefix) ? fromOpenCLIP(String(key.dropFirst(prefix.count)), tensor) : nil
            })
    }

    private static func whole(
        _ key: String, _ tensor: Tensor
    ) -> [(key: String, rows: Range<Int>, from: Range<Int>)] {
        let rows = 0..<(tensor.shape.rank == 0 ? 1 : tensor.shape[0])
        return [(key, rows, rows)]
    }

    private static let outer = [
        "class_embedding": "embeddings.class_embedding", "positional_embedding": "embeddings.position_embedding.weight",
        "conv1.weight": "embeddings.patch_embedding.weight", "ln_pre.weight": "pre_layrnorm.weight",
        "ln_pre.bias": "pre_layrnorm.bias", "ln_post.weight": "post_layernorm.weight",
        "ln_post.bias": "post_layernorm.bias",
    ]
    private static let inner = [
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
        "attn.out_proj": "self_attn.out_proj",
    ]

    /// OpenCLIP keeps q, k and v as thirds of the rows of one matrix.
    private static func fromOpenCLIP(
        _ key: String, _ tensor: Tensor
    ) -> [(key: String, rows: Range<Int>, from: Range<Int>)]? {
        if let name = outer[key] { return whole("vision_model." + name, tensor) }
        let start = "transformer.resblocks."
        guard key.hasPrefix(start) else { return whole(key, tensor) }
        let rest = key.dropFirst(start.count)
        let index = rest.prefix { $0 != "." }
        let name = String(rest.dropFirst(index.count + 1))
        let layer = "vision_model.encoder.layers.\(index)."
        if name == "attn.in_proj_weight" || name == "attn.in_proj_bias", tensor.shape.rank > 0,
            tensor.shape[0] % 3 == 0
        {
            let third = tensor.shape[0] / 3
            let kind = name.hasSuffix("weight") ? "weight" : "bias"
            return ["q", "k", "v"].enumerated().map { part, letter in
                ("\(layer)self_attn.\(letter)_proj.\(kind)", 0..<third, part * third..<(part + 1) * third)
            }
        }
        guard let dot = name.lastIndex(of: "."), let ours = inner[String(name[..<dot])] else {
            return whole(layer + name, tensor)
        }
        return whole(layer + ours + name[dot...], tensor)
    }

    /// OpenCLIP's projection is stored input-major.
    private static func withProjection(_ source: WeightSource) throws(CheckpointError) -> WeightSource {
        guard let piece = source.pieces["proj"]?.first, piece.tensor.shape.rank == 2 else { return source }
        do {
            let matrix = try piece.tensor.permuted([1, 0]).converted(to: piece.tensor.dtype)
            return source.replacing("proj", with: matrix, as: "visual_projection.weight")
        } catch {
            throw CheckpointError(.shapeMismatch, "\(source.name): \"\(piece.fileKey)\": \(error)")
        }
    }
}
