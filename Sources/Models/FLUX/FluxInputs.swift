import Checkpoints
import Diffusion
import Tensors

/// The latent as a FLUX network takes it in: for Fill, Canny and Depth with more channels beside it
/// (families-flux.md §9).
enum FluxInputs {
    /// Channels of the mask that Fill sees: one for each pixel of a latent element.
    static let maskChannels = 64

    /// x `[batch, 16, h, w]`, followed by the picture to keep or follow (16 channels) and the mask (64) as far as the
    /// network has channels for them.
    static func latent(_ call: NetworkCall, _ c: FluxConfiguration) throws -> Tensor {
        let channels = FluxConfiguration.latentChannels
        guard call.x.shape.rank == 4, call.x.shape[1] == channels else {
            throw TensorError(
                .shapeMismatch, "FLUX expects latents of \(channels) channels, found \(call.x.shape)")
        }
        guard c.inputChannels > channels else { return call.x }
        let (batch, size) = (call.x.shape[0], call.geometry.latentShape)
        var parts = [try picture(call.entry[ConcatLatent.self], size)]
        if c.inputChannels > 2 * channels {
            let given = call.entry[ConcatMask.self] ?? call.geometry.noiseMask
            parts.append(try maskPlanes(given, height: size[2], width: size[3]))
        }
        parts = try parts.map { try ConcatInput.cut(ConcatInput.spread($0, to: batch), to: call.area) }
        return try HostMath.concatenate([call.x] + parts, axis: 1)
    }

    /// The conditioning's latent in model units. Without one it is that of zeros in the VAE's units.
    private static func picture(_ given: Tensor?, _ size: Shape) throws -> Tensor {
        let channels = FluxConfiguration.latentChannels
        let latent = try given ?? Tensor.zeros([1, channels, size[2], size[3]])
        guard latent.shape.rank == 4, latent.shape[1] == channels else {
            throw TensorError(
                .shapeMismatch,
                "the picture beside the latent has the shape \(latent.shape), FLUX expects \(channels) channels: it was "
                    + "encoded with the VAE of another model family")
        }
        return try FluxNetwork.latentFormat.toModel(ConcatInput.fitted(latent, height: size[2], width: size[3]))
    }

    /// The mask `[batch, channels, H, W]` at eight times the latent's size with the pixels of an element as channels:
    /// `[batch, 64, h, w]`, number 8·row + column. Not rounded; without a mask all is to be painted.
    private static func maskPlanes(_ given: Tensor?, height: Int, width: Int) throws -> Tensor {
        let (rows, columns) = (8 * height, 8 * width)
        guard let given else { return try Tensor.full([1, maskChannels, height, width], 1) }
        let mask = try ConcatInput.fitted(channelMean(given), height: rows, width: columns).asFloat32()
        let batch = mask.shape[0]
        return try mask.withElements(of: Float.self) { pixels in
            try Tensor.build([batch, maskChannels, height, width], of: Float.self) { out in
                var at = 0
                for item in 0..<batch {
                    for dy in 0..<8 {
                        for dx in 0..<8 {
                            for y in 0..<height {
                                let row = (item * rows + 8 * y + dy) * columns + dx
                                for x in 0..<width {
                                    out[at] = pixels[row + 8 * x]
                                    at += 1
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The mean over the channels of a mask, `[batch, 1, H, W]`.
    private static func channelMean(_ mask: Tensor) throws -> Tensor {
        let shape = mask.shape
        guard shape.rank == 3 || shape.rank == 4, shape[1] > 0 else {
            throw TensorError(
                .shapeMismatch, "a mask has the shape \(shape), expected [batch, channels, height, width]")
        }
        if shape.rank == 3 { return try mask.asFloat32().reshaped([shape[0], 1, shape[1], shape[2]]) }
        let channels = shape[1]
        if channels == 1 { return mask }
        let plane = shape[2] * shape[3]
        return try mask.asFloat32().withElements(of: Float.self) { values in
            try Tensor.build([shape[0], 1, shape[2], shape[3]], of: Float.self) { out in
                for item in 0..<shape[0] {
                    for i in 0..<plane {
                        var sum: Float = 0
                        for channel in 0..<channels { sum += values[(item * channels + channel) * plane + i] }
                        out[item * plane + i] = sum / Float(channels)
                    }
                }
            }
        }
    }
}
