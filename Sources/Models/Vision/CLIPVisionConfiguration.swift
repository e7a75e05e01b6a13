import Checkpoints
import Tensors

/// The sizes of an image encoder, read from its weights, and what only its kind tells.
struct CLIPVisionConfiguration: Sendable {
    var width: Int
    var layers: Int
    var heads: Int
    /// Side of a patch, and patches along each side of a picture.
    var patch: Int
    var grid: Int
    /// Side of the pictures it takes: the last columns may belong to no patch.
    var imageSize: Int
    /// Whether a token of its own stands before the patches (CLIP); SigLIP has none.
    var hasClassToken: Bool
    var activation: Activation
    /// Subtracted from red, green and blue, and what they are divided by then.
    var mean: [Float]
    var deviation: [Float]

    /// - Parameter source: under transformers names.
    init(_ source: WeightSource) throws(CheckpointError) {
        let kernel = try source.dimensions("vision_model.embeddings.patch_embedding.weight", rank: 4)
        let positions = try source.dimensions("vision_model.embeddings.position_embedding.weight", rank: 2)
        width = kernel[0]
        patch = kernel[2]
        layers = source.count("vision_model.encoder.layers.")
        hasClassToken = source.contains("vision_model.embeddings.class_embedding")
        let patches = positions[0] - (hasClassToken ? 1 : 0)
        let side = Int(Double(patches).squareRoot().rounded())
        // All of them have 16 heads, but for the base size.
        let heads = width == 768 ? 12 : 16
        guard kernel[1] == 3, kernel[3] == patch, side > 0, side * side == patches, width % heads == 0, layers > 1,
            patch <= 1024, side <= 1024
        else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): an image encoder of \(layers) layers with patches \(kernel) and \(positions[0]) positions is "
                    + "not supported")
        }
        self.heads = heads
        grid = side
        if hasClassToken {
            imageSize = patch * side
            // OpenAI's CLIP-L has the approximation, OpenCLIP's H and bigG GELU itself.
            activation = width >= 1280 ? .gelu : .quickGelu
            mean = [0.48145466, 0.4578275, 0.40821073]
            deviation = [0.26862954, 0.26130258, 0.27577711]
        } else {
            // so400m was trained on 384 pixels, of which 27 patches of 14 cover 378.
            imageSize = patch == 14 && side == 27 ? 384 : patch * side
            activation = .geluTanh
            mean = [0.5, 0.5, 0.5]
            deviation = [0.5, 0.5, 0.5]
        }
    }
}
