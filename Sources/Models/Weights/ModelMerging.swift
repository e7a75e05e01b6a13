import Checkpoints
public import Diffusion

/// A combination of two models' weights: own · first + share · second, weight by weight
/// (families-unet-sampling.md §15).
public struct ModelMerge: Sendable {
    /// The factors of the first and of the second model's weight of a name.
    public var factors: @Sendable (_ key: String) -> (own: Double, share: Double)

    public init(_ factors: @escaping @Sendable (_ key: String) -> (own: Double, share: Double)) {
        self.factors = factors
    }

    /// first · ratio + second · (1 − ratio), the ratio by the weight's original name.
    public static func mixing(_ ratio: @escaping @Sendable (String) -> Double) -> ModelMerge {
        ModelMerge { key in
            let ratio = ratio(key)
            return (ratio, 1 - ratio)
        }
    }
    /// first + second.
    public static let adding = ModelMerge { _ in (1, 1) }
    /// (first − second) · factor.
    public static func subtracting(factor: Double) -> ModelMerge { ModelMerge { _ in (factor, -factor) } }

    /// The first network with the second one's weights mixed in.
    ///
    /// Weights that the second lacks stay as they are, and those of another shape (the first convolution of an inpainting
    /// model) only get their own factor. Patches (LoRAs) of both count.
    ///
    /// - Parameter warn: told about weights of other shapes.
    /// - Throws: ``Checkpoints/CheckpointError`` when the networks are of two kinds.
    public func callAsFunction(
        _ first: any DiffusionNetwork, _ second: any DiffusionNetwork, warn: (String) -> Void
    ) throws -> any DiffusionNetwork {
        guard let first = first as? any WeightedNetwork else { throw Self.unsupported(first.family) }
        guard let second = second as? any WeightedNetwork else { throw Self.unsupported(second.family) }
        guard type(of: first) == type(of: second) else {
            throw CheckpointError(
                .unsupported,
                "\(first.source.name) (\(first.family)) cannot be merged with \(second.source.name) (\(second.family)): "
                    + "both must be of one model family")
        }
        try Self.checkShapes(first.source, second.source, first.family, second.family, warn)
        return try first.patched(patches(first.source, second.source))
    }

    /// As for networks.
    public func callAsFunction(
        _ first: any TextEncoder, _ second: any TextEncoder, warn: (String) -> Void
    ) throws -> any TextEncoder {
        guard let first = first as? any WeightedTextEncoder else { throw Self.unsupported(first.family) }
        guard let second = second as? any WeightedTextEncoder else { throw Self.unsupported(second.family) }
        guard first.family == second.family else {
            throw CheckpointError(
                .unsupported,
                "text encoders of \(first.family) and \(second.family) cannot be merged; both must be of one kind")
        }
        let others = Dictionary(second.sources.map { ($0.name, $0.weights) }, uniquingKeysWith: { $1 })
        for source in first.sources {
            guard let other = others[source.name] else { continue }
            try Self.checkShapes(source.weights, other, source.name, source.name, warn)
        }
        return try first.patched { source in
            others[source.name].map { patches(source.weights, $0) } ?? [:]
        }
    }

    private func patches(_ own: WeightSource, _ other: WeightSource) -> [String: [WeightPatch]] {
        var patches: [String: [WeightPatch]] = [:]
        let weights = Weights(other)
        for key in own.keys where other.contains(key) && !Self.isNoWeight(key) {
            let (first, second) = factors(key)
            if first == 1 && second == 0 { continue }
            guard own.shape(key) == other.shape(key) else {
                patches[key] = [WeightPatch(.scale(Float(first)))]
                continue
            }
            patches[key] = [
                WeightPatch(.sum(other: { try weights.whole(key) }, own: Float(first), share: Float(second)))
            ]
        }
        return patches
    }

    /// What is stored among the weights and is none.
    private static func isNoWeight(_ key: String) -> Bool {
        key.hasSuffix("position_ids") || key.hasSuffix("logit_scale") || UNetSampling.markers.contains(key)
    }

    private static func unsupported(_ family: String) -> CheckpointError {
        CheckpointError(.unsupported, "\(family) cannot be merged")
    }

    private static func checkShapes(
        _ first: WeightSource, _ second: WeightSource, _ firstFamily: String, _ secondFamily: String,
        _ warn: (String) -> Void
    ) throws(CheckpointError) {
        let common = first.keys.filter { second.contains($0) }
        let wrong = common.filter { first.shape($0) != second.shape($0) }
        guard let key = wrong.first else { return }
        let example = "\"\(key)\": \(first.shape(key) ?? []) and \(second.shape(key) ?? [])"
        // An inpainting network differs from its base in one weight, networks of two sizes in most.
        guard wrong.count <= 4 else {
            throw CheckpointError(
                .shapeMismatch,
                "\(first.name) (\(firstFamily)) cannot be merged with \(second.name) (\(secondFamily)): \(wrong.count) of "
                    + "\(common.count) weights have other sizes (\(example))")
        }
        warn(
            "\(wrong.count) weights of \(first.name) and \(second.name) have other sizes and are not merged (\(example))"
        )
    }
}

extension WeightedNetwork {
    /// The network with some weights multiplied.
    ///
    /// - Parameter factor: by the weight's original name; `nil` leaves it alone.
    public func scalingWeights(_ factor: (String) -> Double?) throws -> Self {
        try patched(source.scaling(factor))
    }
}

extension WeightedTextEncoder {
    /// The encoder with some weights multiplied.
    ///
    /// - Parameter factor: by the weight's transformers name; `nil` leaves it alone.
    public func scalingWeights(_ factor: (String) -> Double?) throws -> Self {
        try patched { $0.weights.scaling(factor) }
    }
}

extension WeightSource {
    fileprivate func scaling(_ factor: (String) -> Double?) -> [String: [WeightPatch]] {
        var patches: [String: [WeightPatch]] = [:]
        for key in keys {
            if let factor = factor(key), factor != 1 { patches[key] = [WeightPatch(.scale(Float(factor)))] }
        }
        return patches
    }
}
