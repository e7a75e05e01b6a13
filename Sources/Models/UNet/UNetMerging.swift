import Checkpoints
public import Diffusion

extension UNetNetwork {
    /// This network mixed with another: every weight becomes ratio · own + (1 − ratio) · other
    /// (families-unet-sampling.md §15, "ModelMergeSimple").
    ///
    /// - Parameter ratio: by the weight's original name ("input_blocks.1.0.in_layers.0.weight").
    /// - Throws: ``Checkpoints/CheckpointError`` when the networks differ in structure.
    public func merged(with other: any DiffusionNetwork, ratio: (String) -> Float) throws -> UNetNetwork {
        guard let other = other as? UNetNetwork, other.configuration == configuration else {
            throw CheckpointError(
                .unsupported,
                "\(source.name) (\(family)) cannot be merged with a \(other.family) model: only UNets of the same "
                    + "structure can")
        }
        return try patched(other.source.mixes(into: source, ratio: ratio))
    }
}

extension CLIPTextEncoder {
    /// This encoder mixed with another, as ``UNetNetwork/merged(with:ratio:)``.
    public func merged(with other: any TextEncoder, ratio: Float) throws -> CLIPTextEncoder {
        guard let other = other as? CLIPTextEncoder, other.family == family else {
            throw CheckpointError(
                .unsupported,
                "text encoders of \(family) and \(other.family) cannot be merged; both must be of one kind")
        }
        return try mergingParts(with: other) { own, other in
            try own.patched(other.source.mixes(into: own.source) { _ in ratio })
        }
    }
}

extension WeightSource {
    /// The patches that mix this source's weights into those of `target`.
    fileprivate func mixes(into target: WeightSource, ratio: (String) -> Float) -> [String: [WeightPatch]] {
        var patches: [String: [WeightPatch]] = [:]
        let weights = Weights(self)
        for key in target.keys where contains(key) {
            // No weights, though they are stored among them.
            if key.hasSuffix("position_ids") || key.hasSuffix("logit_scale") || UNetSampling.markers.contains(key) {
                continue
            }
            patches[key] = [WeightPatch(.mix(other: { try weights.whole(key) }, keep: ratio(key)))]
        }
        return patches
    }
}
