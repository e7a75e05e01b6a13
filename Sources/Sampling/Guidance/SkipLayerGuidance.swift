import Diffusion
public import Tensors

/// Guidance by a network with some of its blocks left out (families-sd3-aura.md §13).
public enum SkipLayerGuidance {
    /// result + (positive − weak)·scale, then brought back towards the positive's standard deviation by the share
    /// `rescaling` (as in ``RescaledGuidance``).
    ///
    /// - Parameter weak: the positive's estimate by the weakened network.
    public static func apply(
        _ inputs: GuidanceInputs, weak: Tensor, scale: Float, rescaling: Float
    ) throws -> Tensor {
        let guided = try Elementwise.zip(inputs.denoised, inputs.positive, weak) { $0 + ($1 - $2) * scale }
        if rescaling == 0 { return guided }
        let ratio = try Float(deviation(inputs.positive) / deviation(guided))
        let factor = rescaling * ratio + (1 - rescaling)
        return factor.isFinite ? try Elementwise.map(guided) { $0 * factor } : guided
    }

    /// The sample standard deviation of all elements.
    private static func deviation(_ x: Tensor) throws -> Double {
        try x.asFloat32().withElements(of: Float.self) { values in
            let mean = values.indices.reduce(0.0) { $0 + Double(values[$1]) } / Double(values.count)
            let sum = values.indices.reduce(0.0) { $0 + (Double(values[$1]) - mean) * (Double(values[$1]) - mean) }
            return (sum / Double(values.count - 1)).squareRoot()
        }
    }
}
