import Checkpoints
import Diffusion
import Tensors

/// ControlNet files that hold the difference from the UNet they were trained with (a tensor "difference" marks them).
enum DifferenceControl {
    /// The file's weights with those of the base added.
    ///
    /// - Throws: ``Checkpoints/CheckpointError`` without a UNet as base.
    static func completed(_ source: WeightSource, _ base: (any DiffusionNetwork)?) throws -> WeightSource {
        guard let unet = base as? UNetNetwork else {
            let found = base.map { "the model is \($0.family)" } ?? "none is given"
            throw CheckpointError(
                .unsupported,
                "\(source.name) holds only the difference between a ControlNet and its model, a UNet; \(found): load it "
                    + "with DiffControlNetLoader and the model it was made for")
        }
        let prefix = "control_model."
        let native = try source.renamed { key, tensor in
            let rows = 0..<(tensor.shape.rank == 0 ? 1 : tensor.shape[0])
            if key == "difference" { return nil }
            return [(key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : key, rows, rows)]
        }
        let weights = Weights(unet.source)
        var patches: [String: [WeightPatch]] = [:]
        for key in native.keys where unet.source.contains(key) {
            guard native.shape(key) == unet.source.shape(key) else {
                throw CheckpointError(
                    .shapeMismatch,
                    "\(source.name) does not fit the model \(unet.source.name) (\(unet.family)): \"\(key)\" is "
                        + "\(native.shape(key) ?? []) there and \(unet.source.shape(key) ?? []) here")
            }
            patches[key] = [WeightPatch(.sum(other: { try weights.whole(key) }, own: 1, share: 1))]
        }
        return native.patched(patches)
    }
}
