public import Tensors

/// Tensors that a ControlNet adds inside the base network, by the kind of place ("double" and "single" blocks of FLUX;
/// "input", "middle", "output" of a UNet) and index. In the backend's memory.
public struct ControlResiduals: Sendable {
    public var groups: [String: [Tensor?]]

    public init(groups: [String: [Tensor?]] = [:]) { self.groups = groups }

    /// The residual for one place, if there is one.
    public func residual(_ group: String, _ index: Int) -> Tensor? {
        guard let list = groups[group], list.indices.contains(index) else { return nil }
        return list[index]
    }

    /// Adds another ControlNet's residuals index by index.
    public mutating func add(_ other: ControlResiduals, on backend: any Backend) throws {
        for (group, tensors) in other.groups {
            var list = groups[group] ?? []
            for (index, tensor) in tensors.enumerated() {
                if index >= list.count {
                    list.append(tensor)
                } else if let tensor {
                    list[index] = try list[index].map { try backend.add($0, tensor) } ?? tensor
                }
            }
            groups[group] = list
        }
    }
}

/// A ControlNet with its weights. A value: choosing a union type gives a new one.
public protocol ControlNetwork: Sendable {
    var family: String { get }
    /// Bytes of memory that the weights take beyond mapped files now: patched, converted or packed copies.
    var ownByteCount: Int { get }
    /// Whether an apply node must give a VAE.
    var needsAutoencoder: Bool { get }
    /// Number of extra mask channels that the hint may carry (alimama inpainting: 1).
    var extraHintChannels: Int { get }

    /// Fits the hint to a run: resizing, VAE encoding; done once, before the first step.
    func prepare(
        _ attachment: ControlAttachment, for geometry: RunGeometry, latentFormat: LatentFormat, on backend: any Backend
    ) throws -> any PreparedControl
}

extension ControlNetwork {
    public var ownByteCount: Int { 0 }
}

/// A ControlNet ready for the steps of one run.
public protocol PreparedControl: Sendable {
    /// The residuals for one evaluation, already multiplied by the strength.
    func residuals(_ call: NetworkCall, on backend: any Backend) throws -> ControlResiduals
}

/// CONTROL_NET.
public struct ControlNet: Sendable {
    public var network: any ControlNetwork
    /// Number given by `SetUnionControlNetType`; `nil` is "auto".
    public var unionType: Int?

    public init(network: any ControlNetwork, unionType: Int? = nil) {
        self.network = network
        self.unionType = unionType
    }
}

/// A ControlNet attached to a conditioning entry. A class, so that positive and negative share one preparation.
public final class ControlAttachment: Sendable {
    public let control: ControlNet
    /// The hint picture `[batch, height, width, 3]`, 0…1.
    public let image: Tensor
    /// Extra hint channel `[batch, height, width]` (alimama: 1 = keep), unrounded.
    public let mask: Tensor?
    public let strength: Float
    /// Active part of the run in fractions of the schedule.
    public let range: PercentRange
    public let autoencoder: (any Autoencoder)?

    public init(
        control: ControlNet, image: Tensor, mask: Tensor? = nil, strength: Float, range: PercentRange,
        autoencoder: (any Autoencoder)?
    ) {
        self.control = control
        self.image = image
        self.mask = mask
        self.strength = strength
        self.range = range
        self.autoencoder = autoencoder
    }
}
