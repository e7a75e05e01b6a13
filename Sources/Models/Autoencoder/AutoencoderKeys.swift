import Checkpoints
import Tensors

/// The diffusers names of a KL autoencoder, renamed to the original ones (families-unet-sampling.md §1, "VAE").
enum AutoencoderKeys {
    static func recognises(_ source: WeightSource) -> Bool {
        source.contains("decoder.conv_in.weight") && source.contains("decoder.conv_out.weight")
    }

    static func isDiffusers(_ source: WeightSource) -> Bool {
        source.contains("decoder.up_blocks.0.resnets.0.norm1.weight")
    }

    static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource {
        guard isDiffusers(source) else { return source }
        return try source.renamed { key, tensor in
            let rows = tensor.shape.rank == 0 ? 1 : tensor.shape[0]
            return [(rename(key), 0..<rows, 0..<rows)]
        }
    }

    private static func rename(_ key: String) -> String {
        var parts = key.split(separator: ".").map(String.init)
        guard parts.count > 2 else { return key }
        switch parts[1] {
        case "down_blocks", "up_blocks":
            guard parts.count > 4, let level = Int(parts[2]) else { return key }
            let isDecoder = parts[1] == "up_blocks"
            parts[1] = isDecoder ? "up" : "down"
            // Levels are numbered from the other end; there are four.
            if isDecoder { parts[2] = String(3 - level) }
            switch parts[3] {
            case "resnets": parts[3] = "block"
            case "downsamplers", "upsamplers":
                parts[3] = isDecoder ? "upsample" : "downsample"
                parts.remove(at: 4)
            default: break
            }
        case "mid_block":
            guard parts.count > 4 else { return key }
            if parts[2] == "resnets", let number = Int(parts[3]) {
                parts.replaceSubrange(1...3, with: ["mid", "block_\(number + 1)"])
            } else if parts[2] == "attentions" {
                let names = ["group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out": "proj_out"]
                let name = parts[4]
                let tail = Array(parts[(name == "to_out" ? 6 : 5)...])
                parts = [parts[0], "mid", "attn_1", names[name] ?? name] + tail
            }
        case "conv_norm_out": parts[1] = "norm_out"
        default: break
        }
        return parts.map { $0 == "conv_shortcut" ? "nin_shortcut" : $0 }.joined(separator: ".")
    }
}
