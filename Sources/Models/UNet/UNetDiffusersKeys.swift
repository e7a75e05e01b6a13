import Checkpoints
import Tensors

/// The diffusers layout of UNets and their ControlNets, as a table from its names to the original ones
/// (families-unet-sampling.md §1). Weights are equal in both.
struct UNetDiffusersKeys {
    /// From a module's diffusers name to its original one ("down_blocks.0.resnets.1" → "input_blocks.2.0").
    private(set) var modules: [String: String] = [
        "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
        "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
        "class_embedding.linear_1": "label_emb.0.0", "class_embedding.linear_2": "label_emb.0.2",
        "mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1",
        "mid_block.resnets.1": "middle_block.2",
        "controlnet_mid_block": "middle_block_out.0",
        "controlnet_cond_embedding.conv_in": "input_hint_block.0",
        "controlnet_cond_embedding.conv_out": "input_hint_block.14",
    ]

    /// Layers of a residual block.
    static let residual = [
        "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
        "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
    ]

    /// - Parameters:
    ///   - levels: resolution levels; `residuals` residual blocks on each level of the encoder.
    ///   - outputs: ControlNet outputs and hint convolutions, if any.
    init(levels: Int, residuals: Int, isAttended: (_ outputBlock: Int) -> Bool) {
        for level in 0..<levels {
            for index in 0..<residuals {
                let block = "input_blocks.\(1 + level * (residuals + 1) + index)"
                modules["down_blocks.\(level).resnets.\(index)"] = block + ".0"
                modules["down_blocks.\(level).attentions.\(index)"] = block + ".1"
            }
            modules["down_blocks.\(level).downsamplers.0.conv"] = "input_blocks.\((level + 1) * (residuals + 1)).0.op"
            for index in 0...residuals {
                let block = "output_blocks.\(level * (residuals + 1) + index)"
                modules["up_blocks.\(level).resnets.\(index)"] = block + ".0"
                modules["up_blocks.\(level).attentions.\(index)"] = block + ".1"
            }
            let last = level * (residuals + 1) + residuals
            modules["up_blocks.\(level).upsamplers.0.conv"] = "output_blocks.\(last).\(isAttended(last) ? 2 : 1).conv"
        }
        for index in 0..<levels * (residuals + 1) {
            modules["controlnet_down_blocks.\(index)"] = "zero_convs.\(index).0"
        }
        for index in 0..<6 {
            modules["controlnet_cond_embedding.blocks.\(index)"] = "input_hint_block.\(2 * (index + 1))"
        }
    }

    /// Whether a source is a UNet of this layout.
    static func recognises(_ source: WeightSource) -> Bool {
        source.contains("conv_in.weight") && source.contains("conv_out.weight")
            && source.contains("down_blocks.0.resnets.0.conv1.weight")
            && source.contains("time_embedding.linear_1.weight")
    }

    /// A UNet or ControlNet under original names. Keys that the table does not know keep theirs.
    static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource {
        let residuals = source.count("down_blocks.0.resnets.")
        let table = UNetDiffusersKeys(levels: source.count("down_blocks."), residuals: residuals) { block in
            let (level, index) = (block / (residuals + 1), block % (residuals + 1))
            return source.contains("up_blocks.\(level).attentions.\(index).proj_in.weight")
        }
        return try source.renamed { key, tensor in
            let rows = 0..<(tensor.shape.rank == 0 ? 1 : tensor.shape[0])
            return [(table.original(key) ?? key, rows, rows)]
        }
    }

    /// The original name of a parameter or layer.
    func original(_ key: String) -> String? {
        let parts = key.split(separator: ".")
        for length in stride(from: min(parts.count, 5), through: 1, by: -1) {
            guard let module = modules[parts[..<length].joined(separator: ".")] else { continue }
            var rest = parts[length...].map(String.init)
            if parts.count > 2, parts[..<length].contains("resnets"), let first = rest.first,
                let layer = Self.residual[first]
            {
                rest[0] = layer
            }
            return ([module] + rest).joined(separator: ".")
        }
        return nil
    }
}
