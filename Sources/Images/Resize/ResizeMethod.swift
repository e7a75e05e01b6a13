/// How pictures and latents change their size; the raw values are the names in workflows.
public enum ResizeMethod: String, Sendable, Hashable, CaseIterable {
    case nearest
    case nearestExact = "nearest-exact"
    case bilinear
    case area
    case bicubic
    /// Pillow's Lanczos on bytes: pictures of 1 to 4 channels only, values are quantised.
    case lanczos
    /// Spherical interpolation of the channel vectors: for latents.
    case bislerp
}

/// What is cut off before a picture is resized to another aspect ratio.
public enum ResizeCrop: String, Sendable, Hashable, CaseIterable {
    /// Nothing: the picture is distorted.
    case disabled
    /// Both sides equally.
    case center
}
