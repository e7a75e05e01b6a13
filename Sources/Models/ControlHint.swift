import Checkpoints
import Diffusion
import Images
import Tensors

/// What transformer ControlNets share: making the hint, checking the base, weighting the outputs.
enum ControlHint {
    /// The run's network, if it is of the ControlNet's family.
    ///
    /// - Throws: ``CheckpointError`` naming both families.
    static func base<Network: DiffusionNetwork>(
        _ geometry: RunGeometry, as type: Network.Type, for control: any ControlNetwork, file: String
    ) throws(CheckpointError) -> Network {
        if let network = geometry.network as? Network { return network }
        throw CheckpointError(
            .unsupported,
            "\(file) is for another model family: it is a \(control.family), the model is "
                + (geometry.network?.family ?? "unknown"))
    }

    /// - Throws: ``CheckpointError`` when base and ControlNet differ in width.
    static func requireWidth(_ base: SD3Network, _ width: Int, file: String) throws(CheckpointError) {
        if base.configuration.width == width { return }
        throw CheckpointError(
            .unsupported,
            "\(file) is for an SD3 of width \(width), the model (\(base.family)) has width \(base.configuration.width): "
                + "medium (1536) and large (2432) need ControlNets of their own")
    }

    /// The attachment's picture at the size of the run, encoded, in the format's units: `[batch, channels, h, w]`.
    ///
    /// - Parameters:
    ///   - maskChannel: whether the mask (1 = keep, constant 1 without one; unrounded, at latent size) comes after it.
    ///   - preprocessing: a change to the resized picture.
    static func latent(
        _ attachment: ControlAttachment, _ geometry: RunGeometry, _ format: LatentFormat, maskChannel: Bool,
        file: String, on b: any Backend, preprocessing: (Tensor) throws -> Tensor = { $0 }
    ) throws -> Tensor {
        guard let autoencoder = attachment.autoencoder else {
            throw CheckpointError(
                .unsupported,
                "\(file) needs a VAE to encode its picture: connect one to the apply node's vae input")
        }
        let (height, width) = (geometry.latentShape[2], geometry.latentShape[3])
        let fitted = try resizeImage(
            attachment.image, width: width * format.downscale, height: height * format.downscale,
            method: .nearestExact, crop: .center)
        let hint = try format.toModel(autoencoder.encode(preprocessing(fitted), on: b))
        if !maskChannel { return hint }
        return try HostMath.concatenate([hint, mask(attachment.mask, height, width, batch: hint.shape[0])], axis: 1)
    }

    private static func mask(_ mask: Tensor?, _ height: Int, _ width: Int, batch: Int) throws -> Tensor {
        guard let mask else { return try Tensor.full([batch, 1, height, width], 1) }
        let fitted = try resizeMask(mask, width: width, height: height, method: .nearestExact, crop: .center)
            .reshaped([mask.shape[0], 1, height, width])
        return try HostMath.cycleBatch(fitted, to: batch)
    }

    /// strength · activation(layer(tokens))
    static func weighted(
        _ tokens: Tensor, _ layer: LinearWeight, _ strength: Float, _ activation: Activation = .identity,
        on b: any Backend
    ) throws -> Tensor {
        let out = try b.linear(tokens, layer, LinearEpilogue(activation))
        return strength == 1 ? out : try b.multiply(out, b.place(Tensor([strength])))
    }
}
