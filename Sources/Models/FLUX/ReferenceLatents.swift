public import Diffusion
import JSON
public import Tensors

/// Latents `[batch, channels, h, w]` in the VAE's units that a network may look at beside the one it paints, in the order
/// they were given (`ReferenceLatent`; FLUX Kontext).
public enum ReferenceLatents: ConditioningKey {
    public static let name = "reference_latents"
    public static func exported(_ value: [Tensor]) -> [(name: String, tensor: Tensor)] {
        value.enumerated().map { (String($0), $1) }
    }
    public static func stored(_ value: [Tensor]) -> StoredContent? { StoredContent(.null, tensors: value) }
    public static func restored(_ content: StoredContent) -> [Tensor]? { content.tensors }
}

/// How references are told apart by their positions (`FluxKontextMultiReferenceLatentMethod`).
public enum ReferenceLatentMethod: String, Sendable, CaseIterable {
    /// Beside each other in the plane of index 1.
    case offset
    /// Each in a plane of its own: index 1, 2, ….
    case index
    /// In the picture's plane, diagonally behind it (UNO: Wu et al. 2025, "Less-to-More Generalization").
    case uxo = "uxo/uno"
}

/// The conditioning's ``ReferenceLatentMethod``; ``ReferenceLatentMethod/offset`` if absent.
public enum ReferenceLatentPlacement: ConditioningKey {
    public static let name = "reference_latents_method"
    public static func stored(_ value: ReferenceLatentMethod) -> StoredContent? {
        StoredContent(.string(value.rawValue))
    }
    public static func restored(_ content: StoredContent) -> ReferenceLatentMethod? {
        content.json.stringValue.flatMap(ReferenceLatentMethod.init(rawValue:))
    }
}
