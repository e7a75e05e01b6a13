public import Checkpoints
public import Diffusion
import Glibc
public import Tensors

/// TAESD, TAESDXL, TAESD3 and TAEF1 (O. Bohan, github.com/madebyollin/taesd, MIT): a small autoencoder between pictures
/// and the latents of a large one.
public struct TinyAutoencoder: Autoencoder {
    public let family: String
    public let latentChannels: Int
    public let downscale: Int
    private let format: LatentFormat
    private let encoder: TinyLayers?
    private let decoder: TinyLayers
    private let name: String
    /// Keys of the files that no layer reads.
    public let unusedKeys: [String]
    public let ownByteCount: Int

    /// - Parameters:
    ///   - space: which of them it is.
    ///   - encoder: without it pictures cannot be encoded.
    /// - Throws: ``Checkpoints/CheckpointError`` when the files hold something else.
    public init(_ space: LatentSpace, encoder: WeightSource?, decoder: WeightSource) throws(CheckpointError) {
        family = "tiny autoencoder of \(space.name)"
        format = space.format
        latentChannels = space.format.channels
        downscale = space.format.downscale
        name = decoder.name
        let channels = latentChannels
        self.decoder = try TinyLayers(decoder, .decoder, inputs: channels, outputs: 3)
        self.encoder = try encoder.map { source throws(CheckpointError) in
            try TinyLayers(source, .encoder, inputs: 3, outputs: channels)
        }
        unusedKeys = decoder.unusedKeys + (encoder?.unusedKeys ?? [])
        ownByteCount = decoder.ownByteCount + (encoder?.ownByteCount ?? 0)
        guard self.decoder.resizings == 3, (self.encoder?.resizings ?? 3) == 3 else {
            throw CheckpointError(
                .unsupported, "\(name): a tiny autoencoder changes the size three times by 2, found another number")
        }
    }

    public func encode(_ image: Tensor, on b: any Backend) throws -> Tensor {
        guard let encoder else {
            throw CheckpointError(.unsupported, "\(name) has no encoder; pictures cannot be encoded with it")
        }
        let (scale, shift) = (format.scale, format.shift)
        var latents: [Tensor] = []
        let cropped = try cropped(image)
        for index in 0..<image.shape[0] {
            let pixels = try cropped.slice(axis: 0, index..<index + 1).asFloat32()
            let z = try b.host(encoder(b.place(pixels), on: b)).permuted([0, 3, 1, 2]).asFloat32()
            latents.append(try HostMath.map(z) { $0 / scale + shift })
        }
        return try HostMath.concatenate(latents, axis: 0)
    }

    /// The picture's three colours, cut about the centre to multiples of ``downscale``.
    private func cropped(_ image: Tensor) throws(TensorError) -> Tensor {
        guard image.shape.rank == 4, image.shape[3] >= 3, image.shape[0] > 0, image.shape[1] >= downscale,
            image.shape[2] >= downscale
        else {
            throw TensorError(
                .shapeMismatch,
                "a picture must be [batch, height, width, 3] with sides of at least \(downscale), found \(image.shape)")
        }
        let (height, width) = (image.shape[1] / downscale * downscale, image.shape[2] / downscale * downscale)
        let (top, left) = ((image.shape[1] - height) / 2, (image.shape[2] - width) / 2)
        return try image.slice(axis: 1, top..<top + height).slice(axis: 2, left..<left + width).slice(axis: 3, 0..<3)
    }

    public func decode(_ latent: Tensor, on b: any Backend) throws -> Tensor {
        guard latent.shape.rank == 4, latent.shape[1] == latentChannels, latent.shape[0] > 0 else {
            throw TensorError(
                .shapeMismatch,
                "the VAE \(name) expects latents of \(latentChannels) channels, found \(latent.shape): the VAE belongs to "
                    + "another model family")
        }
        return try decodeModelUnits(format.toModel(latent), on: b)
    }

    /// The picture `[batch, height, width, 3]`, 0…1, of a latent in the units of the diffusion model.
    func decodeModelUnits(_ latent: Tensor, on b: any Backend) throws -> Tensor {
        var images: [Tensor] = []
        for index in 0..<latent.shape[0] {
            let item = try latent.slice(axis: 0, index..<index + 1).permuted([0, 2, 3, 1]).asFloat32()
            // Latents far out are bent in, so that the decoder does not show colours it never learned.
            let z = try HostMath.map(item) { Float(3 * tanh(Double($0) / 3)) }
            let pixels = try b.host(decoder(b.place(z), on: b))
            images.append(try HostMath.map(pixels) { min(max($0, 0), 1) })
        }
        return try HostMath.concatenate(images, axis: 0)
    }
}
