public import Tensors

/// A latent `[batch, channels, h, w]` in the VAE's units that networks with more input channels get beside x: the picture
/// without what is to be painted (inpainting), or the picture to be changed (InstructPix2Pix, FLUX Canny and Depth).
/// Other networks leave it alone, as in the reference.
public enum ConcatLatent: ConditioningKey {
    public static let name = "concat_latent_image"
    public static func exported(_ value: Tensor) -> [(name: String, tensor: Tensor)] { [("", value)] }
    public static func stored(_ value: Tensor) -> StoredContent? { StoredContent(value) }
    public static func restored(_ content: StoredContent) -> Tensor? { content.onlyTensor }
}

/// The mask `[batch, 1, H, W]` that goes with ``ConcatLatent``: 1 where the picture is to be painted; any size, unrounded.
public enum ConcatMask: ConditioningKey {
    public static let name = "concat_mask"
    public static func exported(_ value: Tensor) -> [(name: String, tensor: Tensor)] { [("", value)] }
    public static func stored(_ value: Tensor) -> StoredContent? { StoredContent(value) }
    public static func restored(_ content: StoredContent) -> Tensor? { content.onlyTensor }
}
