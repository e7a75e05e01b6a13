import Glibc

/// The beta distribution's cumulative distribution function I_x(a, b) and its inverse, in double precision.
struct BetaDistribution {
    private let a: Double
    private let b: Double
    /// ln B(a, b).
    private let logBeta: Double

    /// - Throws: ``SamplingError/Code/parameter`` unless both shape parameters are above 0.
    init(a: Double, b: Double) throws(SamplingError) {
        guard a > 0, b > 0, a.isFinite, b.isFinite else {
            throw SamplingError(.parameter, "alpha and beta of a beta schedule must be above 0; found \(a) and \(b)")
        }
        self.a = a
        self.b = b
        logBeta = lgamma(a).0 + lgamma(b).0 - lgamma(a + b).0
    }

    /// I_x(a, b).
    func cumulative(_ x: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        let front = exp(a * log(x) + b * log1p(-x) - logBeta)
        // The continued fraction converges quickly on this side of the mean, the symmetry serves the other.
        return x < (a + 1) / (a + b + 2)
            ? front * Self.continuedFraction(a, b, x) / a : 1 - front * Self.continuedFraction(b, a, 1 - x) / b
    }

    /// The x with I_x(a, b) = p: Newton steps kept inside a shrinking bracket.
    func quantile(_ p: Double) -> Double {
        if p <= 0 { return 0 }
        if p >= 1 { return 1 }
        // Exactly, because callers round half a table's length.
        if a == b && p == 0.5 { return 0.5 }
        var (low, high) = (0.0, 1.0)
        var x = a / (a + b)
        for _ in 0..<200 {
            let error = cumulative(x) - p
            if error == 0 { return x }
            if error < 0 { low = x } else { high = x }
            let density = exp((a - 1) * log(x) + (b - 1) * log1p(-x) - logBeta)
            var next = x - error / density
            if !(next > low && next < high) { next = (low + high) / 2 }
            if abs(next - x) <= 1e-16 * x { return next }
            x = next
        }
        return x
    }

    /// Lentz's evaluation of the continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8).
    private static func continuedFraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
        let tiny = 1e-300
        func nonzero(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / nonzero(1 - (a + b) * x / (a + 1))
        var result = d
        for m in 1...500 {
            let m = Double(m)
            for numerator in [
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
            ] {
                d = 1 / nonzero(1 + numerator * d)
                c = nonzero(1 + numerator / c)
                result *= d * c
            }
            if abs(d * c - 1) < 1e-16 { break }
        }
        return result
    }
}
