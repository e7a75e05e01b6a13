import Checkpoints
import Tensors

/// The layouts in which CLIP text models are stored, brought to the names of transformers (families-unet-sampling.md §1,
/// "Text encoders"): transformers itself, the same without its `text_model.` level (early SD1 files), and OpenCLIP.
enum CLIPKeys {
    /// The source under transformers names, or `nil` if it is no CLIP text model.
    static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource? {
        if source.contains("text_model.encoder.layers.0.self_attn.q_proj.weight") { return try withProjection(source) }
        if source.contains("encoder.layers.0.self_attn.q_proj.weight"),
            source.contains("embeddings.token_embedding.weight")
        {
            return try withProjection(
                source.renamed { key, tensor in
                    let isInside = ["encoder.", "embeddings.", "final_layer_norm."].contains { key.hasPrefix($0) }
                    return whole(isInside ? "text_model." + key : key, tensor)
                })
        }
        guard source.contains("transformer.resblocks.0.attn.in_proj_weight") else { return nil }
        return try withProjection(source.renamed(fromOpenCLIP))
    }

    private static func whole(
        _ key: String, _ tensor: Tensor
    ) -> [(key: String, rows: Range<Int>, from: Range<Int>)] {
        let rows = 0..<(tensor.shape.rank == 0 ? 1 : tensor.shape[0])
        return [(key, rows, rows)]
    }

    private static let outer = [
        "positional_embedding": "text_model.embeddings.position_embedding.weight",
        "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
        "ln_final.weight": "text_model.final_layer_norm.weight", "ln_final.bias": "text_model.final_layer_norm.bias",
    ]
    private static let inner = [
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
        "attn.out_proj": "self_attn.out_proj",
    ]

    /// OpenCLIP keeps q, k and v as thirds of the rows of one matrix.
    private static func fromOpenCLIP(
        _ key: String, _ tensor: Tensor
    ) -> [(key: String, rows: Range<Int>, from: Range<Int>)]? {
        if let name = outer[key] { return whole(name, tensor) }
        let start = "transformer.resblocks."
        guard key.hasPrefix(start) else { return whole(key, tensor) }
        let rest = key.dropFirst(start.count)
        let index = rest.prefix { $0 != "." }
        let name = String(rest.dropFirst(index.count + 1))
        let layer = "text_model.encoder.layers.\(index)."
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

    /// OpenCLIP's `text_projection` is stored input-major; as `text_projection.weight` it is a linear layer's matrix.
    private static func withProjection(_ source: WeightSource) throws(CheckpointError) -> WeightSource {
        guard let piece = source.pieces["text_projection"]?.first, piece.tensor.shape.rank == 2,
            !source.contains("text_projection.weight")
        else { return source }
        do {
            let matrix = try piece.tensor.permuted([1, 0]).converted(to: piece.tensor.dtype)
            return source.replacing("text_projection", with: matrix, as: "text_projection.weight")
        } catch {
            throw CheckpointError(.shapeMismatch, "\(source.name): \"\(piece.fileKey)\": \(error)")
        }
    }

    /// Weights under transformers names, renamed to OpenCLIP's: the way back.
    ///
    /// - Throws: ``Checkpoints/CheckpointError`` when a layer lacks a part of its q, k and v.
    static func openCLIP(_ weights: [TensorToWrite]) throws(CheckpointError) -> [TensorToWrite] {
        let back = Dictionary(uniqueKeysWithValues: outer.map { ($1, $0) })
        let innerBack = Dictionary(uniqueKeysWithValues: inner.map { ($1, $0) })
        let byKey = Dictionary(weights.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
        var result: [TensorToWrite] = []
        for weight in weights {
            var renamed = weight
            let start = "text_model.encoder.layers."
            if let name = back[weight.key] {
                renamed.key = name
            } else if weight.key == "text_projection.weight", weight.shape.count == 2 {
                renamed = TensorToWrite(
                    key: "text_projection", type: weight.type, shape: weight.shape.reversed()
                ) { try weight.make().permuted([1, 0]).converted(to: weight.type) }
            } else if weight.key.hasPrefix(start) {
                let rest = weight.key.dropFirst(start.count)
                let index = rest.prefix { $0 != "." }
                let name = String(rest.dropFirst(index.count + 1))
                guard let dot = name.lastIndex(of: ".") else { continue }
                let (module, kind) = (String(name[..<dot]), name[dot...].dropFirst())
                let block = "transformer.resblocks.\(index)."
                if let theirs = innerBack[module] {
                    renamed.key = "\(block)\(theirs).\(kind)"
                } else if module == "self_attn.q_proj" {
                    let parts = ["q", "k", "v"].compactMap { byKey["\(start)\(index).self_attn.\($0)_proj.\(kind)"] }
                    guard parts.count == 3, parts.allSatisfy({ $0.shape == weight.shape && $0.type == weight.type })
                    else {
                        throw CheckpointError(
                            .shapeMismatch, "layer \(index) of the text encoder has no q, k and v of one size and type")
                    }
                    var shape = weight.shape
                    shape[0] *= 3
                    renamed = TensorToWrite(
                        key: "\(block)attn.in_proj_\(kind)", type: weight.type, shape: shape
                    ) { try stacked(parts.map { try $0.make() }) }
                } else if module == "self_attn.k_proj" || module == "self_attn.v_proj" {
                    continue
                } else {
                    renamed.key = block + name
                }
            }
            result.append(renamed)
        }
        return result
    }

    /// Tensors of one type and width below each other, bit for bit.
    private static func stacked(_ parts: [Tensor]) throws -> Tensor {
        guard let first = parts.first else { throw TensorError(.shapeMismatch, "nothing to stack") }
        var pieces: [WeightPiece] = []
        var row = 0
        for part in parts {
            pieces.append(WeightPiece(rows: row..<row + part.shape[0], tensor: part, fileKey: "part"))
            row += part.shape[0]
        }
        let whole = WeightSource(name: "text encoder", pieces: ["whole": pieces]).storedWeights()
        guard let made = whole.first else { return first }
        return try made.make()
    }
}
