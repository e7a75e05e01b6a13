public import Checkpoints
public import Diffusion
public import Tensors

/// The KL autoencoder of SD, SDXL, SD3 and FLUX (families-unet-sampling.md §7): widths ×1, 2, 4, 4, two residual blocks
/// per level in the encoder, three in the decoder.
public struct KLAutoencoder: Autoencoder {
    public let family = "KL autoencoder"
    public let latentChannels: Int
    public let downscale = 8
    let encoder: AutoencoderEncoder?
    let decoder: AutoencoderDecoder
    /// Under original names, without prefix.
    public let source: WeightSource

    /// - Parameter source: names without prefix, original or diffusers.
    public init(_ source: WeightSource) throws(CheckpointError) {
        let native = try AutoencoderKeys.native(source)
        self.source = native
        guard let input = native.shape("decoder.conv_in.weight"), let output = native.shape("decoder.conv_out.weight"),
            input.count == 4, output.count == 4
        else {
            throw CheckpointError(
                .unknownFamily,
                "\(source.name): no autoencoder found (looked for \"decoder.conv_in.weight\"); supported are the VAEs of "
                    + "SD, SDXL, SD3 and FLUX, in original or diffusers layout")
        }
        latentChannels = input[1]
        let widths = [1, 2, 4, 4].map { $0 * output[1] }
        let w = Weights(native)
        decoder = try AutoencoderDecoder(w, latentChannels: latentChannels, widths: widths)
        encoder =
            w.contains("encoder.conv_in.weight")
            ? try AutoencoderEncoder(w, latentChannels: latentChannels, widths: widths) : nil
    }

    /// Keys of the file that no layer reads.
    public var unusedKeys: [String] { source.unusedKeys }
    public var ownByteCount: Int { source.ownByteCount }

    public func encode(_ image: Tensor, on b: any Backend) throws -> Tensor {
        let encoder = try requireEncoder()
        let cropped = try cropped(image)
        var latents: [Tensor] = []
        for index in 0..<image.shape[0] {
            let pixels = try HostMath.map(cropped.slice(axis: 0, index..<index + 1)) { 2 * $0 - 1 }
            latents.append(try b.host(encoder(b.place(pixels), on: b)).permuted([0, 3, 1, 2]).asFloat32())
        }
        return try HostMath.concatenate(latents, axis: 0)
    }

    func requireEncoder() throws(CheckpointError) -> AutoencoderEncoder {
        if let encoder { return encoder }
        throw CheckpointError(.unsupported, "\(source.name) has no encoder; pictures cannot be encoded with it")
    }

    /// The picture's three colours, cut about the centre to multiples of ``downscale``.
    func cropped(_ image: Tensor) throws(TensorError) -> Tensor {
        guard image.shape.rank == 4, image.shape[3] >= 3 else {
            throw TensorError(.shapeMismatch, "a picture must be [batch, height, width, 3], found \(image.shape)")
        }
        let (height, width) = (image.shape[1] / downscale * downscale, image.shape[2] / downscale * downscale)
        guard height > 0, width > 0 else {
            throw TensorError(
                .shapeMismatch,
                "a picture of \(image.shape[2]) × \(image.shape[1]) pixels is too small for the VAE (at least \(downscale))"
            )
        }
        let top = (image.shape[1] - height) / 2
        let left = (image.shape[2] - width) / 2
        return try image.slice(axis: 1, top..<top + height).slice(axis: 2, left..<left + width).slice(axis: 3, 0..<3)
    }

    func requireLatent(_ latent: Tensor) throws(TensorError) {
        if latent.shape.rank == 4, latent.shape[1] == latentChannels { return }
        throw TensorError(
            .shapeMismatch,
            "the VAE \(source.name) expects latents of \(latentChannels) channels, found \(latent.shape): "
                + "the VAE belongs to another model family")
    }

    public func decode(_ latent: Tensor, on b: any Backend) throws -> Tensor {
        try requireLatent(latent)
        var images: [Tensor] = []
        for index in 0..<latent.shape[0] {
            let z = try latent.slice(axis: 0, index..<index + 1).permuted([0, 2, 3, 1]).asFloat32()
            let pixels = try b.host(decoder(b.place(z), on: b))
            images.append(try HostMath.map(pixels) { min(max(($0 + 1) / 2, 0), 1) })
        }
        return try HostMath.concatenate(images, axis: 0)
    }
}

/// Pixels `[batch, H, W, 3]` (−1…1) → means `[batch, H/8, W/8, channels]`.
struct AutoencoderEncoder: Sendable {
    let input: Convolution
    let levels: [(blocks: [ResidualBlock], downsample: Convolution?)]
    let middle: AutoencoderMiddle
    let norm: PictureNorm
    let output: Convolution
    let quantisation: PointwiseConvolution?
    let latentChannels: Int

    init(_ w: Weights, latentChannels z: Int, widths: [Int]) throws(CheckpointError) {
        let e = w["encoder"]
        latentChannels = z
        input = try Convolution(e["conv_in"], from: 3, to: widths[0])
        var levels: [(blocks: [ResidualBlock], downsample: Convolution?)] = []
        var channels = widths[0]
        for (level, width) in widths.enumerated() {
            let scope = e["down"][level]
            var blocks: [ResidualBlock] = []
            for i in 0..<2 {
                blocks.append(try ResidualBlock(scope["block"][i], from: channels, to: width))
                channels = width
            }
            let down =
                level == widths.count - 1 ? nil : try Convolution(scope["downsample.conv"], from: width, to: width)
            levels.append((blocks, down))
        }
        self.levels = levels
        middle = try AutoencoderMiddle(e["mid"], channels: channels)
        norm = try PictureNorm(e["norm_out"], channels: channels)
        output = try Convolution(e["conv_out"], from: channels, to: 2 * z)
        quantisation =
            w.contains("quant_conv.weight") ? try PointwiseConvolution(w["quant_conv"], from: 2 * z, to: 2 * z) : nil
    }

    func callAsFunction(_ pixels: Tensor, on b: any Backend) throws -> Tensor {
        var h = try input(pixels, on: b)
        for level in levels {
            for block in level.blocks { h = try block(h, on: b) }
            // One column on the right and one row below, as the models were trained.
            if let down = level.downsample {
                h = try down(h, stride: 2, padding: EdgePadding(top: 0, left: 0, bottom: 1, right: 1), on: b)
            }
        }
        h = try output(norm(middle(h, on: b), .silu, on: b), on: b)
        if let quantisation { h = try quantisation(h, on: b) }
        return try h.slice(axis: 3, 0..<latentChannels)
    }
}

/// Latents `[batch, h, w, channels]` → pixels `[batch, 8h, 8w, 3]` (−1…1, not clamped).
struct AutoencoderDecoder: Sendable {
    let quantisation: PointwiseConvolution?
    let input: Convolution
    let middle: AutoencoderMiddle
    /// From the smallest to the largest picture.
    let levels: [(blocks: [ResidualBlock], upsample: Convolution?)]
    let norm: PictureNorm
    let output: Convolution

    init(_ w: Weights, latentChannels z: Int, widths: [Int]) throws(CheckpointError) {
        let d = w["decoder"]
        quantisation =
            w.contains("post_quant_conv.weight") ? try PointwiseConvolution(w["post_quant_conv"], from: z, to: z) : nil
        var channels = widths[widths.count - 1]
        input = try Convolution(d["conv_in"], from: z, to: channels)
        middle = try AutoencoderMiddle(d["mid"], channels: channels)
        var levels: [(blocks: [ResidualBlock], upsample: Convolution?)] = []
        for (level, width) in widths.enumerated().reversed() {
            let scope = d["up"][level]
            var blocks: [ResidualBlock] = []
            for i in 0..<3 {
                blocks.append(try ResidualBlock(scope["block"][i], from: channels, to: width))
                channels = width
            }
            let up = level == 0 ? nil : try Convolution(scope["upsample.conv"], from: width, to: width)
            levels.append((blocks, up))
        }
        self.levels = levels
        norm = try PictureNorm(d["norm_out"], channels: channels)
        output = try Convolution(d["conv_out"], from: channels, to: 3)
    }

    func callAsFunction(_ latent: Tensor, on b: any Backend) throws -> Tensor {
        var h = latent
        if let quantisation { h = try quantisation(h, on: b) }
        h = try middle(input(h, on: b), on: b)
        for level in levels {
            for block in level.blocks { h = try block(h, on: b) }
            if let up = level.upsample {
                h = try up(b.resizeNearest(h, height: 2 * h.shape[1], width: 2 * h.shape[2]), on: b)
            }
        }
        return try output(norm(h, .silu, on: b), on: b)
    }
}

/// Residual block, attention, residual block.
struct AutoencoderMiddle: Sendable {
    let first: ResidualBlock
    let attention: PixelAttention
    let second: ResidualBlock

    init(_ w: Weights, channels: Int) throws(CheckpointError) {
        first = try ResidualBlock(w["block_1"], from: channels, to: channels)
        attention = try PixelAttention(w["attn_1"], channels: channels)
        second = try ResidualBlock(w["block_2"], from: channels, to: channels)
    }

    func callAsFunction(_ x: Tensor, on b: any Backend) throws -> Tensor {
        try second(attention(first(x, on: b), on: b), on: b)
    }
}
