import Glibc

/// What nodes do with finished schedules (spec: families-unet-sampling.md §10).
public enum SigmaOperations {
    /// The first step + 1 levels, and those from `step` on: both have the level in common.
    public static func split(_ sigmas: [Float], at step: Int) -> (high: [Float], low: [Float]) {
        let step = max(step, 0)
        return (Array(sigmas.prefix(step < sigmas.count ? step + 1 : sigmas.count)), Array(sigmas.dropFirst(step)))
    }

    /// Splits so that the second part has the share `denoise` of the steps. With a share of 0 the first part is empty
    /// and the second has the last level only, as in the reference.
    public static func split(_ sigmas: [Float], denoise: Double) -> (high: [Float], low: [Float]) {
        let steps = max(sigmas.count - 1, 0)
        let share = (Double(steps) * denoise).rounded(.toNearestOrEven)
        let kept = share.isNaN ? 0 : Int(min(max(share, 0), Double(steps)))
        return (kept == 0 ? [] : Array(sigmas.dropLast(kept)), Array(sigmas.suffix(kept + 1)))
    }

    /// The levels in reverse order; a leading 0 becomes 0.0001, from which sampling can start.
    public static func flipped(_ sigmas: [Float]) -> [Float] {
        var sigmas = Array(sigmas.reversed())
        if sigmas.first == 0 { sigmas[0] = 0.0001 }
        return sigmas
    }

    /// How the levels between two of a schedule are placed.
    public enum Spacing: String, Sendable, Hashable, CaseIterable {
        case linear, cosine, sine

        func place(_ x: Float) -> Float {
            switch self {
            case .linear: x
            case .cosine: sin(x * Float.pi / 2)
            case .sine: 1 - cos(x * Float.pi / 2)
            }
        }
    }

    /// Every step that starts between two levels divided into `steps`.
    ///
    /// - Parameters:
    ///   - start: highest level from which a step is divided; below 0 there is no limit.
    ///   - end: lowest level.
    public static func extended(
        _ sigmas: [Float], steps: Int, from start: Double, to end: Double, _ spacing: Spacing
    ) -> [Float] {
        let start = start < 0 ? Double.infinity : start
        let places = linearSpace(0, 1, max(steps, 1) + 1).dropFirst().dropLast().map(spacing.place)
        var extended: [Float] = []
        for (index, sigma) in sigmas.enumerated() {
            extended.append(sigma)
            guard index + 1 < sigmas.count, end <= Double(sigma), Double(sigma) <= start else { continue }
            let next = sigmas[index + 1]
            extended += places.map { sigma + (next - sigma) * $0 }
        }
        return extended
    }
}
