import Diffusion
import Tensors

/// `RescaleCFG` (Lin et al. 2023, "Common diffusion noise schedules and sample steps are flawed"): the guided velocity
/// gets the standard deviation of the positive's, by the share `multiplier` (spec: families-unet-sampling.md §13).
public enum RescaledGuidance {
    /// The formula for ``GuidanceFormula``.
    public static func formula(multiplier: Float) -> GuidanceFormula.Value {
        { inputs in
            let variance = inputs.sigma * inputs.sigma + 1
            let root = variance.squareRoot()
            let (sigma, scale) = (inputs.sigma, inputs.scale)
            func velocity(_ denoised: Tensor) throws -> Tensor {
                try Elementwise.zip(inputs.x, denoised) { ($0 / variance - $1) * root / sigma }
            }
            let positive = try velocity(inputs.positive)
            let negative = try velocity(inputs.negative ?? inputs.positive)
            let guided = try Elementwise.zip(positive, negative) { $1 + scale * ($0 - $1) }
            let ratios = zip(try deviations(positive), try deviations(guided)).map { Float($0 / $1) }
            let x = try inputs.x.asFloat32()
            let perItem = x.count / max(ratios.count, 1)
            return try x.withElements(of: Float.self) { x in
                try guided.withElements(of: Float.self) { v in
                    try Tensor.build(inputs.x.shape, of: Float.self) { out in
                        for i in x.indices {
                            let rescaled = multiplier * (v[i] * ratios[i / perItem]) + (1 - multiplier) * v[i]
                            out[i] = x[i] / variance - rescaled * sigma / root
                        }
                    }
                }
            }
        }
    }

    /// The sample standard deviation of every item of a batch.
    private static func deviations(_ x: Tensor) throws -> [Double] {
        let batch = x.shape[0]
        let perItem = x.count / max(batch, 1)
        return try x.withElements(of: Float.self) { values in
            (0..<batch).map { item in
                let range = item * perItem..<(item + 1) * perItem
                let mean = range.reduce(0.0) { $0 + Double(values[$1]) } / Double(perItem)
                let sum = range.reduce(0.0) { $0 + (Double(values[$1]) - mean) * (Double(values[$1]) - mean) }
                return (sum / Double(perItem - 1)).squareRoot()
            }
        }
    }
}
