public import Checkpoints
public import Tensors

/// CLIP_VISION: the image encoders of CLIP ViT-L/14 (also with 336 pixels), OpenCLIP ViT-H/14 and ViT-bigG/14 (Radford et
/// al. 2021, arXiv:2103.00020), and SigLIP so400m (Zhai et al. 2023, arXiv:2303.15343).
public struct CLIPVisionModel: Sendable {
    let configuration: CLIPVisionConfiguration
    private let source: WeightSource
    private let cache = LayerCache<CLIPVisionLayers>()

    /// - Parameter source: in any layout, without prefix.
    /// - Throws: ``Checkpoints/CheckpointError`` when it is no image encoder, or keys are missing.
    public init(_ source: WeightSource) throws(CheckpointError) {
        try self.init(source) { _ in }
    }

    init(
        _ source: WeightSource, adjust: (inout CLIPVisionConfiguration) -> Void
    ) throws(CheckpointError) {
        guard var native = try CLIPVisionKeys.native(source) else {
            throw CheckpointError(
                .unknownFamily,
                "\(source.name) is no image encoder that is supported: \(KnownLayouts.describe(source)); supported are CLIP "
                    + "ViT-L/14, ViT-H/14 and ViT-bigG/14 (transformers or OpenCLIP layout) and SigLIP so400m")
        }
        // As the reference holds encoders on a CPU (families-unet-sampling.md §2).
        native.heldAs = .float16
        self.source = native
        var configuration = try CLIPVisionConfiguration(native)
        adjust(&configuration)
        self.configuration = configuration
        // Read once now, so that a bad file is reported when it is loaded.
        _ = try layers()
    }

    /// For people: "CLIP vision, 32 layers, width 1280".
    public var family: String {
        let c = configuration
        return
            "\(c.hasClassToken ? "CLIP vision" : "SigLIP"), \(c.layers) layers, width \(c.width), \(c.imageSize) pixels"
    }
    /// Keys of the file that no layer reads.
    public var unusedKeys: [String] { source.unusedKeys }
    /// Bytes of memory that the weights take beyond the mapped file.
    public var ownByteCount: Int { source.ownByteCount }
    /// Length of ``CLIPVisionOutput/imageEmbeds``; `nil` for encoders without a projection.
    public var projectedWidth: Int? { source.shape("visual_projection.weight")?.first }

    private func layers() throws(CheckpointError) -> CLIPVisionLayers {
        try cache.layers(source, roundsPatches: false) { w throws(CheckpointError) in
            try CLIPVisionLayers(w, configuration)
        }
    }

    /// What is in pictures `[batch, height, width, 3 or more]`, 0…1.
    ///
    /// - Parameter crops: whether what does not fit a square is cut off; otherwise pictures are squeezed.
    public func encode(_ image: Tensor, crops: Bool, on b: any Backend) throws -> CLIPVisionOutput {
        let pixels = try PicturePreparation.prepared(image, configuration, crops: crops)
        return try layers().encode(PicturePreparation.patches(pixels, configuration), on: b)
    }
}

/// The transformer of an image encoder.
struct CLIPVisionLayers: Sendable {
    private struct Norm: Sendable {
        let weight: Tensor
        let bias: Tensor

        init(_ w: Weights, _ width: Int) throws(CheckpointError) {
            weight = try w.vector("weight", width)
            bias = try w.vector("bias", width)
        }

        func callAsFunction(_ x: Tensor, _ result: ResultType, on b: any Backend) throws -> Tensor {
            try b.layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5, modulation: nil, result: result)
        }
    }

    private struct Layer: Sendable {
        let norm1: Norm
        let query: LinearWeight
        let key: LinearWeight
        let value: LinearWeight
        let output: LinearWeight
        let norm2: Norm
        let expand: LinearWeight
        let contract: LinearWeight
    }

    private let configuration: CLIPVisionConfiguration
    private let patches: LinearWeight
    /// `[1, 1, width]`
    private let classToken: Tensor?
    /// `[1, tokens, width]`
    private let positions: Tensor
    private let before: Norm?
    private let layers: [Layer]
    private let after: Norm
    private let projection: LinearWeight?

    init(_ root: Weights, _ c: CLIPVisionConfiguration) throws(CheckpointError) {
        configuration = c
        let w = root["vision_model"]
        let d = c.width
        let tokens = c.grid * c.grid + (c.hasClassToken ? 1 : 0)
        patches = try w["embeddings.patch_embedding"].windowedLinear(channels: 3, size: c.patch, outputs: d)
        do {
            classToken =
                c.hasClassToken
                ? try w["embeddings"].vector("class_embedding", d).reshaped([1, 1, d]) : nil
            positions = try w["embeddings.position_embedding"].parameter("weight", [tokens, d])
                .reshaped([1, tokens, d])
        } catch let error as CheckpointError { throw error } catch {
            throw CheckpointError(.malformed, "\(root.source.name): \(error)")
        }
        before = w.contains("pre_layrnorm.weight") ? try Norm(w["pre_layrnorm"], d) : nil
        var layers: [Layer] = []
        for index in 0..<c.layers {
            let l = w["encoder.layers"][index]
            let hidden = try root.source.dimensions(l["mlp.fc1"].prefix + ".weight", rank: 2)[0]
            layers.append(
                Layer(
                    norm1: try Norm(l["layer_norm1"], d),
                    query: try l["self_attn.q_proj"].linear(inputs: d, outputs: d),
                    key: try l["self_attn.k_proj"].linear(inputs: d, outputs: d),
                    value: try l["self_attn.v_proj"].linear(inputs: d, outputs: d),
                    output: try l["self_attn.out_proj"].linear(inputs: d, outputs: d),
                    norm2: try Norm(l["layer_norm2"], d), expand: try l["mlp.fc1"].linear(inputs: d, outputs: hidden),
                    contract: try l["mlp.fc2"].linear(inputs: hidden, outputs: d)))
        }
        self.layers = layers
        after = try Norm(w["post_layernorm"], d)
        if let shape = root.shape("visual_projection.weight"), shape.count == 2 {
            projection = try root["visual_projection"].linear(inputs: d, outputs: shape[0])
        } else {
            projection = nil
        }
    }

    /// - Parameter patches: `[batch, grid², 3 · patch²]`.
    func encode(_ patches: Tensor, on b: any Backend) throws -> CLIPVisionOutput {
        let c = configuration
        let (batch, d) = (patches.shape[0], c.width)
        var x = try b.linear(b.place(patches), self.patches)
        if let classToken {
            x = try b.concatenate([b.place(classToken.broadcast(to: [batch, 1, d]).asFloat32()), x], axis: 1)
        }
        x = try b.add(x, b.place(positions))
        if let before { x = try before(x, .full, on: b) }
        var penultimate = x
        let compute = LinearEpilogue(result: .compute)
        let scale = 1 / Float(d / c.heads).squareRoot()
        for layer in layers {
            penultimate = x
            let h = try layer.norm1(x, .compute, on: b)
            let a = try b.attention(
                b.linear(h, layer.query, compute), b.linear(h, layer.key, compute), b.linear(h, layer.value, compute),
                heads: c.heads, scale: scale, mask: .none, result: .compute)
            x = try b.linear(a, layer.output, LinearEpilogue(residual: Residual(x)))
            let u = try b.linear(
                layer.norm2(x, .compute, on: b), layer.expand, LinearEpilogue(c.activation, result: .compute))
            x = try b.linear(u, layer.contract, LinearEpilogue(residual: Residual(x)))
        }
        let hidden = try b.host(penultimate)
        guard c.hasClassToken else {
            return CLIPVisionOutput(
                lastHiddenState: try b.host(after(x, .full, on: b)), penultimateHiddenState: hidden, imageEmbeds: nil)
        }
        let last = try b.host(x)
        var embeds: Tensor?
        if let projection {
            let token = try b.place(last.slice(axis: 1, 0..<1).asFloat32())
            embeds = try b.host(b.linear(after(token, .full, on: b), projection)).reshaped([batch, projection.outputs])
        }
        return CLIPVisionOutput(lastHiddenState: last, penultimateHiddenState: hidden, imageEmbeds: embeds)
    }
}
