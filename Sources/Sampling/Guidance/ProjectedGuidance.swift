import Diffusion
public import Tensors

/// Guidance of which only a part is used, or whose size is limited.
public enum ProjectedGuidance {
    /// Adaptive projected guidance (Sadat et al. 2024, "Eliminating Oversaturation and Artifacts of High Guidance Scales in
    /// Diffusion Models"): the difference Δ = c − u, with momentum, is limited to the norm `threshold` (0: no limit); its
    /// part along c counts `eta` times. The result is c + (scale − 1)·Δ′.
    ///
    /// - Returns: what makes the function of a run, for ``EstimateAdjustments``.
    public static func adaptive(
        eta: Float, threshold: Float, momentum: Float
    ) -> @Sendable () -> (inout GuidanceInputs) throws -> Void {
        {
            var average: Tensor?
            return { inputs in
                guard let negative = inputs.negative else { return }
                var difference = try Elementwise.zip(inputs.positive, negative) { $0 - $1 }
                if momentum != 0 {
                    if let before = average, before.shape == difference.shape {
                        difference = try Elementwise.zip(difference, before) { $0 + momentum * $1 }
                    }
                    average = difference
                }
                let differences = try difference.items()
                let parts = try inputs.positive.items().enumerated().map { index, positive -> [Float] in
                    var change = differences[index].map { Double($0) }
                    let size = dot(change, change).squareRoot()
                    if threshold > 0, size > Double(threshold) {
                        for i in change.indices { change[i] *= Double(threshold) / size }
                    }
                    let direction = positive.map { Double($0) }
                    let square = dot(direction, direction)
                    let along = square > 0 ? dot(change, direction) / square : 0
                    return change.indices.map { i in
                        let parallel = along * direction[i]
                        return Float(change[i] - parallel + Double(eta) * parallel)
                    }
                }
                let adjusted = try Tensor(parts.flatMap(\.self), shape: inputs.positive.shape)
                // With u = c − Δ′ the formula u + (c − u)·scale is c + (scale − 1)·Δ′.
                inputs.negative = try Elementwise.zip(inputs.positive, adjusted) { $0 - $1 }
            }
        }
    }

    /// Tangential damping (Kwon et al. 2025, "TCFG: Tangential Damping Classifier-free Guidance"): of the negative's noise
    /// only the part along the first right singular vector of both noises is kept.
    public static func dampTangentially(_ inputs: inout GuidanceInputs) throws {
        guard let negative = inputs.negative else { return }
        let x = inputs.x
        let toward = try Elementwise.zip(x, inputs.positive) { $0 - $1 }
        let away = try Elementwise.zip(x, negative) { $0 - $1 }
        let parts = try zip(toward.items(), away.items()).map { c, u -> [Float] in
            // The vector is combined from both rows by the first eigenvector (a, b) of their 2 × 2 Gram matrix.
            let c = c.map { Double($0) }
            let u = u.map { Double($0) }
            let (cc, cu, uu) = (dot(c, c), dot(c, u), dot(u, u))
            let half = (cc - uu) / 2
            let root = (half * half + cu * cu).squareRoot()
            let largest = (cc + uu) / 2 + root
            guard largest > 0 else { return [Float](repeating: 0, count: u.count) }
            var (a, b) = cu == 0 ? (cc >= uu ? 1.0 : 0.0, cc >= uu ? 0.0 : 1.0) : (largest - uu, cu)
            let length = (a * a + b * b).squareRoot()
            (a, b) = (a / length, b / length)
            // v = (a·c + b·u)/√λ; (u·v)·v
            let share = (a * cu + b * uu) / largest
            return c.indices.map { Float(share * (a * c[$0] + b * u[$0])) }
        }
        let kept = try Tensor(parts.flatMap(\.self), shape: x.shape)
        inputs.negative = try Elementwise.zip(x, kept) { $0 - $1 }
    }

    /// CFG-Zero* (Fan et al. 2025): the negative's velocity is first scaled to fit the positive's best,
    /// s = ⟨v_c, v_u⟩ / ‖v_u‖², so that the velocity is (1 − scale)·s·v_u + scale·v_c. With v = (x − D)/σ this adds
    /// (1 − scale)·(1 − s)·(x − u) to the guided estimate.
    public static func zeroStar(_ inputs: GuidanceInputs) throws -> Tensor {
        guard let negative = inputs.negative else { return inputs.denoised }
        let toward = try Elementwise.zip(inputs.x, inputs.positive) { $0 - $1 }.items()
        let away = try Elementwise.zip(inputs.x, negative) { $0 - $1 }.items()
        let scale = inputs.scale
        let changes = zip(toward, away).map { c, u -> [Float] in
            let doubles = u.map { Double($0) }
            let fit = Float(dot(c.map { Double($0) }, doubles) / (dot(doubles, doubles) + 1e-8))
            return u.map { $0 * (1 - scale) * (1 - fit) }
        }
        let change = try Tensor(changes.flatMap(\.self), shape: negative.shape)
        return try Elementwise.zip(inputs.denoised, change) { $0 + $1 }
    }

    /// The guided estimate limited, pixel by pixel over the channels, to the norm of the positive's, times `strength`
    /// (HiDream-E1's guidance, `CFGNorm`).
    public static func limitedToPositive(_ inputs: GuidanceInputs, strength: Float) throws -> Tensor {
        let (guided, positive) = (try inputs.denoised.asFloat32(), try inputs.positive.asFloat32())
        let shape = guided.shape
        guard shape.rank >= 2 else { return guided }
        let channels = shape[1]
        let pixels = guided.count / max(shape[0] * channels, 1)
        return try guided.withElements(of: Float.self) { d in
            try positive.withElements(of: Float.self) { p in
                try Tensor.build(shape, of: Float.self) { out in
                    for item in 0..<shape[0] {
                        for pixel in 0..<pixels {
                            let start = item * channels * pixels + pixel
                            var (own, wanted) = (0.0, 0.0)
                            for channel in 0..<channels {
                                let i = start + channel * pixels
                                own += Double(d[i]) * Double(d[i])
                                wanted += Double(p[i]) * Double(p[i])
                            }
                            let ratio = Float(min(max(wanted.squareRoot() / (own.squareRoot() + 1e-8), 0), 1))
                            for channel in 0..<channels {
                                let i = start + channel * pixels
                                out[i] = d[i] * ratio * strength
                            }
                        }
                    }
                }
            }
        }
    }

    /// The noise of the estimate divided by `factor` (Ning et al. 2024, "Elucidating the Exposure Bias in Diffusion
    /// Models"): x − (x − D)/factor.
    public static func scaledNoise(_ inputs: GuidanceInputs, factor: Float) throws -> Tensor {
        try Elementwise.zip(inputs.x, inputs.denoised) { $0 - ($0 - $1) / factor }
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for i in a.indices { sum += a[i] * b[i] }
        return sum
    }
}

extension Tensor {
    /// The values of every item of the batch.
    fileprivate func items() throws -> [[Float]] {
        let batch = shape.rank > 0 ? shape[0] : 1
        return try (0..<batch).map { try slice(axis: 0, $0..<$0 + 1).floats() }
    }
}
