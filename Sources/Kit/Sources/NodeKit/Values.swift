public import Diffusion
public import Tensors

/// IMAGE: pictures `[batch, height, width, channels]`, float32, 0…1.
public struct Image: NodeValue {
    public static let socketType = "IMAGE"
    public var tensor: Tensor
    public init(_ tensor: Tensor) { self.tensor = tensor }
    public var exportedTensors: [(suffix: String, tensor: Tensor)] { [("", tensor)] }
    public var batch: Int { tensor.shape[0] }
    public var height: Int { tensor.shape[1] }
    public var width: Int { tensor.shape[2] }
}

/// MASK: `[batch, height, width]`, float32, 0…1.
public struct Mask: NodeValue {
    public static let socketType = "MASK"
    public var tensor: Tensor
    public init(_ tensor: Tensor) { self.tensor = tensor }
    public var exportedTensors: [(suffix: String, tensor: Tensor)] { [("", tensor)] }
}

extension Latent: NodeValue {
    public static var socketType: String { "LATENT" }
    public var exportedTensors: [(suffix: String, tensor: Tensor)] {
        var all = [(suffix: ".samples", tensor: samples)]
        if let noiseMask { all.append((".noise_mask", noiseMask)) }
        for (position, index) in (batchIndices ?? []).enumerated() {
            guard let tensor = try? Tensor.build([], of: Int64.self, { $0[0] = Int64(index) }) else { continue }
            all.append((".batch_index.\(position)", tensor))
        }
        return all
    }
}

/// CONDITIONING: entries that are averaged by strength.
public struct ConditioningValue: NodeValue {
    public static let socketType = "CONDITIONING"
    public var entries: Conditioning
    public init(_ entries: Conditioning) { self.entries = entries }
    public var exportedTensors: [(suffix: String, tensor: Tensor)] {
        entries.enumerated().flatMap { index, entry in
            [(".\(index).0", entry.context)] + entry.exportedProperties.map { (".\(index).1.\($0.name)", $0.tensor) }
        }
    }
    /// Every entry changed by `body`.
    public func mapEntries(_ body: (inout ConditioningEntry) throws -> Void) rethrows -> ConditioningValue {
        var copy = self
        for index in copy.entries.indices { try body(&copy.entries[index]) }
        return copy
    }
}

/// SIGMAS: a descending noise schedule.
public struct Sigmas: NodeValue {
    public static let socketType = "SIGMAS"
    public var values: [Float]
    public init(_ values: [Float]) { self.values = values }
    public var exportedTensors: [(suffix: String, tensor: Tensor)] {
        guard let tensor = try? Tensor(values) else { return [] }
        return [("", tensor)]
    }
}

/// A loaded model: kept in memory apart from other results, which are many and short-lived.
///
/// ``NodeValue/byteCount`` of a model is the memory that is the process's own. Weights in mapped files are not: the
/// system drops and reads them as it needs to.
public protocol ModelValue: NodeValue {}

extension DiffusionModel: ModelValue {
    public static var socketType: String { "MODEL" }
    public var byteCount: Int { 64 + network.ownByteCount }
}
extension ControlNet: ModelValue {
    public static var socketType: String { "CONTROL_NET" }
    public var byteCount: Int { 64 + network.ownByteCount }
}

/// CLIP.
public struct TextEncoderValue: ModelValue {
    public static let socketType = "CLIP"
    public var encoder: any TextEncoder
    public var byteCount: Int { 64 + encoder.ownByteCount }
    public init(_ encoder: any TextEncoder) { self.encoder = encoder }
}

/// VAE.
public struct AutoencoderValue: ModelValue {
    public static let socketType = "VAE"
    public var autoencoder: any Autoencoder
    public var byteCount: Int { 64 + autoencoder.ownByteCount }
    public init(_ autoencoder: any Autoencoder) { self.autoencoder = autoencoder }
}

/// SAMPLER.
public struct SamplerValue: NodeValue {
    public static let socketType = "SAMPLER"
    public var sampler: any Sampler
    public init(_ sampler: any Sampler) { self.sampler = sampler }
}

/// NOISE.
public struct NoiseValue: NodeValue {
    public static let socketType = "NOISE"
    public var source: any NoiseSource
    public init(_ source: any NoiseSource) { self.source = source }
}

/// GUIDER.
public struct GuiderValue: NodeValue {
    public static let socketType = "GUIDER"
    public var guider: any Guider
    public init(_ guider: any Guider) { self.guider = guider }
}
