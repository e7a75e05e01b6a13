import Diffusion
import Sampling
import Synchronization
import Tensors

/// A network that knows the answer: pictures are normally distributed with standard deviation s and the mean that the
/// conditioning's first context element gives, so the best denoised estimate is linear in x.
struct GaussianNetwork: DiffusionNetwork {
    /// What the network was asked, and by which entries.
    final class Log: Sendable {
        struct Entry: Sendable {
            var sigma: Float
            var mean: Float
            var shape: Shape
            var contextBatch: Int
            var control: Float?
        }
        private let entries = Mutex<[Entry]>([])
        func append(_ entry: Entry) { entries.withLock { $0.append(entry) } }
        var all: [Entry] { entries.withLock { $0 } }
        func clear() { entries.withLock { $0 = [] } }
    }

    var family: String { "Gaussian" }
    var latentFormat = LatentFormat(channels: 4, scale: 0.5)
    var sampling: any ModelSampling
    var deviation: Float = 0.7
    var log = Log()
    /// Replaces the answer.
    var answer: (@Sendable (NetworkCall) throws -> Tensor)?

    func callAsFunction(_ call: NetworkCall, on backend: any Backend) throws -> Tensor {
        let mean = try call.entry.context.floats().first ?? 0
        log.append(
            .init(
                sigma: call.sigma, mean: mean, shape: call.x.shape, contextBatch: call.entry.context.shape[0],
                control: try call.control?.residual("double", 0)?.floats().first))
        if let answer { return try answer(call) }
        let sigma = call.sigma
        let variance = deviation * deviation
        if sampling.isFlow {
            let keep = 1 - sigma
            let gain = keep * variance / (keep * keep * variance + sigma * sigma)
            return try HostMath.map(call.x) { x in (x - (mean + gain * (x - keep * mean))) / sigma }
        }
        let scale = (sigma * sigma + 1).squareRoot()
        let gain = variance / (variance + sigma * sigma)
        return try HostMath.map(call.x) { input in
            let x = input * scale
            return (x - (mean + gain * (x - mean))) / sigma
        }
    }

    func adding(lora: NamedTensors, strength: Float) throws -> (network: any DiffusionNetwork, report: LoRAReport) {
        (self, LoRAReport())
    }
}

/// A backend for networks that need none.
struct NoBackend: Backend {
    struct Unused: Error {}
    var name: String { "none" }
    var computeType: DType { .float32 }
    private func unused<Result>() throws(TensorError) -> Result {
        throw TensorError(.unsupported, "the tests' networks compute on the host")
    }
    func place(_ x: Tensor) throws(TensorError) -> Tensor { x }
    func host(_ x: Tensor) throws(TensorError) -> Tensor { x }
    func linear(_ x: [Tensor], _ w: LinearWeight, _ e: LinearEpilogue) throws(TensorError) -> Tensor { try unused() }
    func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, scale: Float, mask: AttentionMask, result: ResultType
    ) throws(TensorError) -> Tensor { try unused() }
    func joinHeads(
        _ parts: [HeadPart], heads: Int, epsilon: Float, rotary: RotaryTable?
    ) throws(TensorError) -> Tensor { try unused() }
    func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor { try unused() }
    func rmsNorm(
        _ x: Tensor, weight: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor { try unused() }
    func groupNorm(
        _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation
    ) throws(TensorError) -> Tensor { try unused() }
    func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation
    ) throws(TensorError) -> Tensor { try unused() }
    func resizeNearest(_ x: Tensor, height: Int, width: Int) throws(TensorError) -> Tensor { try unused() }
    func gather(_ table: Tensor, rows ids: [Int], heldAs: DType?) throws(TensorError) -> Tensor { try unused() }
    func add(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
        do { return try HostMath.add(a, b) } catch { throw TensorError(.shapeMismatch, "\(error)") }
    }
    func multiply(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor { try unused() }
    func activate(_ x: Tensor, _ a: Activation, result: ResultType) throws(TensorError) -> Tensor { try unused() }
    func gated(
        _ gate: Tensor, _ up: Tensor, _ a: Activation, result: ResultType
    ) throws(TensorError) -> Tensor { try unused() }
    func concatenate(_ parts: [Tensor], axis: Int) throws(TensorError) -> Tensor { try unused() }
    func contiguous(_ x: Tensor) throws(TensorError) -> Tensor { x }
}

func entry(mean: Float) throws -> ConditioningEntry {
    ConditioningEntry(context: try Tensor([mean, 0, 0, 0], shape: [1, 2, 2]))
}
