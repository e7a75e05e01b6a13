import Diffusion
import Images
import Tensors

/// What networks with more input channels than the latent has are given beside x: fitting it to a run
/// (families-unet-sampling.md §11.4, families-flux.md §9).
enum ConcatInput {
    /// A latent or mask `[batch, channels, h, w]` resized (bilinear, cut about the centre) to `height` × `width`.
    static func fitted(_ x: Tensor, height: Int, width: Int) throws -> Tensor {
        if x.shape.rank == 4, x.shape[2] == height, x.shape[3] == width { return x }
        return try commonUpscale(x, width: width, height: height, method: .bilinear, crop: .center)
    }

    /// The items of a batch stretched or thinned out to `count` items.
    static func spread(_ x: Tensor, to count: Int) throws -> Tensor {
        let have = x.shape[0]
        if have == count { return x }
        guard have > 0 else { throw TensorError(.shapeMismatch, "an empty batch cannot be repeated") }
        let items = (0..<count).map { k in
            if have < count { return Int((Double(k) + 0.5) * Double(have) / Double(count)) }
            let position = count == 1 ? 0 : Double(k) * Double(have - 1) / Double(count - 1)
            return Int(position.rounded(.toNearestOrEven))
        }
        return try HostMath.concatenate(
            items.map { try x.slice(axis: 0, min($0, have - 1)..<min($0, have - 1) + 1) }, axis: 0)
    }

    /// The part of an input of the latent's size that belongs to a call's area.
    static func cut(_ x: Tensor, to area: LatentArea?) throws -> Tensor {
        guard let area else { return x }
        return try x.slice(axis: 2, area.y..<area.y + area.height).slice(axis: 3, area.x..<area.x + area.width)
    }
}
