/// Work that was counted and not done.
public struct CountedWork: Sendable, Hashable {
    /// Floating-point operations of matrix products (two per multiplication and addition).
    public var products = 0.0
    /// Those of attention: q kᵀ and the weighted sum of v.
    public var attention = 0.0
    /// Those of convolutions.
    public var convolutions = 0.0
    /// Bytes that all other operations read and write.
    public var traffic = 0.0

    public init() {}

    /// All floating-point operations.
    public var operations: Double { products + attention + convolutions }

    static func - (a: CountedWork, b: CountedWork) -> CountedWork {
        var result = CountedWork()
        result.products = a.products - b.products
        result.attention = a.attention - b.attention
        result.convolutions = a.convolutions - b.convolutions
        result.traffic = a.traffic - b.traffic
        return result
    }

    static func += (a: inout CountedWork, b: CountedWork) {
        a.products += b.products
        a.attention += b.attention
        a.convolutions += b.convolutions
        a.traffic += b.traffic
    }
}

/// How fast a machine works.
public struct MachineSpeed: Sendable, Hashable {
    /// The fastest matrix product, GFLOP/s.
    public var peak: Double
    /// Bytes per second that simple operations read and write.
    public var bandwidth: Double

    public init(peak: Double, bandwidth: Double = 15e9) {
        self.peak = peak
        self.bandwidth = bandwidth
    }

    /// What of the peak the operations reach, as measured on FLUX's networks at 512 × 512 and 1024 × 1024 (README,
    /// "Performance") and on its autoencoder.
    static let productShare = 0.9
    static let attentionShare = 0.5
    static let convolutionShare = 0.5

    /// Seconds that counted work takes.
    public func seconds(_ work: CountedWork) -> Double {
        guard peak > 0, bandwidth > 0 else { return 0 }
        let weighted =
            work.products / Self.productShare + work.attention / Self.attentionShare
            + work.convolutions / Self.convolutionShare
        return weighted / (peak * 1e9) + work.traffic / bandwidth
    }
}
