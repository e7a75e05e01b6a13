public import Tensors

/// What is known about a sampling run before its first step.
public struct RunGeometry: Sendable {
    /// Shape `[batch, channels, h, w]` of the latent.
    public var latentShape: Shape
    /// The run's starting latent in model units.
    public var latent: Tensor
    /// The run's noise mask `[batch, 1, h, w]`, unrounded.
    public var noiseMask: Tensor?
    public var sampling: any ModelSampling
    /// The run's seed, for conditions with noise of their own.
    public var seed: UInt64 = 0
    /// The model's network, for ControlNets that use parts of it or fit only some families.
    public var network: (any DiffusionNetwork)?

    public init(latentShape: Shape, latent: Tensor, noiseMask: Tensor?, sampling: any ModelSampling) {
        self.latentShape = latentShape
        self.latent = latent
        self.noiseMask = noiseMask
        self.sampling = sampling
    }
}

/// One evaluation of a network for one conditioning entry.
public struct NetworkCall: Sendable {
    /// `[batch, channels, h, w]`, float32 host memory, as ``ModelSampling/networkInput(_:sigma:)`` made it.
    public var x: Tensor
    public var sigma: Float
    /// ``ModelSampling/networkTime(_:)`` of σ.
    public var time: Float
    public var entry: ConditioningEntry
    public var control: ControlResiduals?
    public var geometry: RunGeometry
    /// Where in the run's latent `x` was cut out, for an entry that holds for an area only; inputs of the latent's size
    /// are to be cut likewise.
    public var area: LatentArea?

    public init(
        x: Tensor, sigma: Float, time: Float, entry: ConditioningEntry, control: ControlResiduals? = nil,
        geometry: RunGeometry, area: LatentArea? = nil
    ) {
        self.x = x
        self.sigma = sigma
        self.time = time
        self.entry = entry
        self.control = control
        self.geometry = geometry
        self.area = area
    }
}

/// The network of a diffusion model with its weights and their patches. A value: patching gives a new one that shares
/// everything unpatched.
public protocol DiffusionNetwork: Sendable {
    /// Name of the family, for people ("FLUX.1 dev").
    var family: String { get }
    var latentFormat: LatentFormat { get }
    /// Bytes of memory that the weights take beyond mapped files now: patched, converted or packed copies.
    var ownByteCount: Int { get }
    /// The noise schedule and prediction type that belong to the checkpoint.
    var sampling: any ModelSampling { get }

    /// The network's output `[batch, latent channels, h, w]` in host memory.
    func callAsFunction(_ call: NetworkCall, on backend: any Backend) throws -> Tensor

    /// Throws what is to be read when a ControlNet was made for another family; asked before anything is computed.
    func requireFitting(_ control: any ControlNetwork) throws

    /// The network with a LoRA file added.
    func adding(lora: NamedTensors, strength: Float) throws -> (network: any DiffusionNetwork, report: LoRAReport)
}

extension DiffusionNetwork {
    public var ownByteCount: Int { 0 }
    public func requireFitting(_ control: any ControlNetwork) throws {}
}

/// The tensors of a file by their keys.
public struct NamedTensors: Sendable {
    /// The file's name, for messages.
    public var name: String
    public var tensors: [String: Tensor]
    public init(name: String, tensors: [String: Tensor]) {
        self.name = name
        self.tensors = tensors
    }
}

/// What became of a LoRA file's keys.
public struct LoRAReport: Sendable, Hashable {
    /// Keys of the file that were used.
    public var used: Set<String>
    /// How many weights they change.
    public var changedWeights: Int
    public init(used: Set<String> = [], changedWeights: Int = 0) {
        self.used = used
        self.changedWeights = changedWeights
    }
}

/// MODEL: a network with the sampling and options that nodes gave it.
public struct DiffusionModel: Sendable {
    public var network: any DiffusionNetwork
    /// Replaces the network's own, as `ModelSampling…` nodes do.
    public var samplingOverride: (any ModelSampling)?
    private var options: [ObjectIdentifier: any Sendable] = [:]

    public init(network: any DiffusionNetwork) { self.network = network }

    public var sampling: any ModelSampling { samplingOverride ?? network.sampling }

    /// Options of nodes that change guidance or the network (each declares its key).
    public subscript<Key: ModelOptionKey>(key: Key.Type) -> Key.Value? {
        get {
            guard let value = options[ObjectIdentifier(key)] else { return nil }
            return value as? Key.Value
        }
        set { options[ObjectIdentifier(key)] = newValue }
    }
}

/// A named, typed option of a model.
public protocol ModelOptionKey: Sendable {
    associatedtype Value: Sendable
}
