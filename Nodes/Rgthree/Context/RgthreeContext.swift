import NodeKit
import Tensors

/// RGTHREE_CONTEXT: values that travel together (pack-nodes.md §3).
struct RgthreeContext: NodeValue {
    static let socketType = "RGTHREE_CONTEXT"

    /// What a context can hold, in the order of the ports of Context Big.
    enum Field: String, CaseIterable, Sendable {
        case model, clip, vae, positive, negative, latent, images, seed
        case steps
        case stepRefiner = "step_refiner"
        case cfg
        case checkpointName = "ckpt_name"
        case sampler, scheduler
        case clipWidth = "clip_width"
        case clipHeight = "clip_height"
        case positiveTextG = "text_pos_g"
        case positiveTextL = "text_pos_l"
        case negativeTextG = "text_neg_g"
        case negativeTextL = "text_neg_l"
        case mask
        case controlNet = "control_net"

        /// The fields that the small nodes have ports for.
        static let small: [Field] = [.model, .clip, .vae, .positive, .negative, .latent, .images, .seed]

        /// The socket type of the field's ports.
        var socketType: String {
            switch self {
            case .model: "MODEL"
            case .clip: "CLIP"
            case .vae: "VAE"
            case .positive, .negative: "CONDITIONING"
            case .latent: "LATENT"
            case .images: "IMAGE"
            case .seed, .steps, .stepRefiner, .clipWidth, .clipHeight: "INT"
            case .cfg: "FLOAT"
            case .checkpointName, .sampler, .scheduler: "*"
            case .positiveTextG, .positiveTextL, .negativeTextG, .negativeTextL: "STRING"
            case .mask: "MASK"
            case .controlNet: "CONTROL_NET"
            }
        }

        /// The name of the field's output.
        var outputName: String {
            switch self {
            case .images: "IMAGE"
            case .checkpointName: "CKPT_NAME"
            default: rawValue.uppercased()
            }
        }
    }

    private(set) var values: [Field: any NodeValue] = [:]

    var isEmpty: Bool { values.isEmpty }

    subscript(field: Field) -> (any NodeValue)? {
        get { values[field] }
        set { values[field] = newValue }
    }

    var exportedTensors: [(suffix: String, tensor: Tensor)] {
        Field.allCases.flatMap { field in
            (values[field]?.exportedTensors ?? []).map { ("." + field.rawValue + $0.suffix, $0.tensor) }
        }
    }
    var byteCount: Int { values.values.reduce(64) { $0 + $1.byteCount } }

    /// Every field of `other` that it has, over the own ones.
    func merging(_ other: RgthreeContext) -> RgthreeContext {
        var copy = self
        copy.values.merge(other.values) { $1 }
        return copy
    }
}
