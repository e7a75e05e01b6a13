import Checkpoints
import Tensors

/// The kinds of ControlNet files for FLUX: how they are recognised and named, and which of the base's blocks an output
/// goes to (families-flux.md §7).
enum FluxControlLayout: Sendable {
    /// InstantX, Shakker Union, alimama inpainting: diffusers names; the hint is a latent.
    case diffusers
    /// XLabs: native names; the hint is a picture.
    case xlabs
    /// TheMisto.ai's MistoLine: as XLabs with a longer hint encoder and SiLU after the output layers.
    case mistoline

    /// The layout of a source's keys; `nil` if it is none of these.
    init?(_ source: WeightSource) {
        if source.contains("controlnet_blocks.0.linear.weight") {
            self = .mistoline
        } else if source.contains("controlnet_blocks.0.weight"), source.contains("controlnet_x_embedder.weight"),
            source.contains("transformer_blocks.0.attn.add_q_proj.weight")
        {
            self = .diffusers
        } else if source.contains("controlnet_blocks.0.weight"),
            source.contains("double_blocks.0.img_attn.norm.key_norm.scale")
        {
            self = .xlabs
        } else {
            return nil
        }
    }

    /// The source under the names of ``FluxControlNetwork``.
    func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource {
        switch self {
        case .diffusers: return try FluxDiffusersKeys.native(source)
        case .xlabs: return source
        case .mistoline:
            return try source.renamed { key, tensor in
                let rows = 0..<(tensor.shape.rank == 0 ? 1 : tensor.shape[0])
                var name = key
                let single = "single_controlnet_blocks."
                if name.hasPrefix(single) { name = "controlnet_single_blocks." + name.dropFirst(single.count) }
                if name.hasPrefix("controlnet_") {
                    for part in [".linear.weight", ".linear.bias"] where name.hasSuffix(part) {
                        name = String(name.dropLast(part.count)) + part.dropFirst(".linear".count)
                    }
                }
                return [(name, rows, rows)]
            }
        }
    }

    /// Which of `outputs` outputs goes to block `index` of `base` blocks; `nil`: none.
    func output(forBlock index: Int, of base: Int, outputs: Int) -> Int? {
        if outputs == 0 { return nil }
        switch self {
        case .xlabs, .mistoline: return index % outputs
        case .diffusers:
            // Runs of neighbouring blocks.
            let run = (base + outputs - 1) / outputs
            return index < min(base, outputs * run) ? index / run : nil
        }
    }

    /// Applied to the outputs.
    var outputActivation: Activation { self == .mistoline ? .silu : .identity }
}
