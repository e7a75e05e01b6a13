public import Tensors

extension WeightSource {
    /// The source with a weight made anew from its present value; patches that it has are part of the new value.
    ///
    /// - Parameter change: from the weight as float32 to the one that takes its place, of any shape.
    /// - Throws: ``CheckpointError`` when the weight is missing, and what `change` throws.
    public func rebuilt(_ key: String, _ change: (Tensor) throws -> Tensor) throws -> WeightSource {
        let scale = pieces[key]?.first?.scale ?? 1
        let present = try Weights(self).whole(key)
        let values = scale == 1 ? present : try HostMath.map(present) { $0 * scale }
        // Not `adding` alone: the copy needs a store of fused weights of its own.
        var copy = try patched([:]).adding(key, change(values))
        copy.patches[key] = nil
        return copy
    }
}
