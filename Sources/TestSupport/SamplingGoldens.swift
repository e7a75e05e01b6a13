import Diffusion
import JSON
import Sampling
import Tensors

/// The sampling goldens: every row of `cases.json` run on the miniature models and compared with the reference's latents
/// (goldens README, "Samplers and schedulers").
public enum SamplingGoldens {
    public struct Outcome: Sendable {
        public var id: String
        /// Relative RMS error of the final latent.
        public var error: Double
        /// Largest relative RMS error of x at the progress reports, where the golden has them.
        public var trajectoryError: Double?
        /// How far the reference's own result moves when the starting noise is changed by 1e-6.
        public var sensitivity: Double
        /// Evaluations of D: made, and made by the reference.
        public var calls: (made: Int, expected: Int)
        public var reports: (made: Int, expected: Int)
    }

    /// Samplers at whose progress reports the reference has x after the step, and those where it always has the start.
    private static let reportingAfterStep: Set<String> = ["dpm_adaptive"]
    private static let reportingStart: Set<String> = ["ipndm", "ipndm_v", "deis"]
    /// Samplers at whose progress reports the reference has x divided by √(1 + σ²).
    private static let reportingOtherCoordinates: Set<String> = ["uni_pc", "uni_pc_bh2"]

    public struct Malformed: Error {
        public var what: String
    }

    /// Runs the rows for whose model and sampler `model` gives a model.
    ///
    /// - Parameters:
    ///   - index: `cases.json`; `tensors`: `expected.safetensors`.
    ///   - model: by the row's model name ("sd15-mini", "flux-mini"); `nil` leaves the row out.
    ///   - includes: filter by row id.
    public static func run(
        index: JSON, tensors: [String: Tensor], on backend: any Backend, includes: (String) -> Bool = { _ in true },
        model: (String) throws -> DiffusionModel?
    ) throws -> [Outcome] {
        guard let rows = index["cases"]?.arrayValue else { throw Malformed(what: "no cases") }
        return try rows.compactMap { row in
            guard let id = row["id"]?.stringValue, let name = row["model"]?.stringValue else {
                throw Malformed(what: "a row without id or model")
            }
            guard includes(id), let model = try model(name) else { return nil }
            return try run(row, id: id, modelName: name, model: model, tensors: tensors, on: backend)
        }
    }

    private static func run(
        _ row: JSON, id: String, modelName: String, model: DiffusionModel, tensors: [String: Tensor],
        on backend: any Backend
    ) throws -> Outcome {
        func tensor(_ key: String) throws -> Tensor {
            guard let tensor = tensors[key] else { throw Malformed(what: "no tensor \(key)") }
            return tensor
        }
        guard let samplerName = row["sampler"]?.stringValue, let scheduler = row["scheduler"]?.stringValue,
            let steps = row["steps"]?.intValue, let cfg = row["cfg"]?.doubleValue,
            let seed = row["seed"]?.intValue.map(UInt64.init)
        else { throw Malformed(what: "row \(id)") }
        let input = "input." + modelName
        func conditioning(_ key: String) throws -> Conditioning {
            var entry = ConditioningEntry(context: try tensor(input + "." + key))
            entry[PooledOutput.self] = tensors[input + "." + key + ".pooled"]
            if modelName.hasPrefix("flux") { entry[Guidance.self] = 3.5 }
            return [entry]
        }
        let shape = try tensor(input + ".latent").shape
        var latent = Latent(
            samples: try row["latent"]?.stringValue.map(tensor)
                ?? Tensor.zeros(shape.replacing(0, with: row["batch"]?.intValue ?? shape[0])))
        latent.noiseMask = try row["noise_mask"]?.stringValue.map(tensor)
        latent.batchIndices = row["noise_inds"]?.arrayValue?.compactMap(\.intValue)
        var sigmas = try Schedule.sigmas(
            scheduler, sampling: model.sampling, steps: steps, denoise: row["denoise"]?.doubleValue ?? 1,
            forSampler: samplerName)
        if let start = row["start_step"]?.intValue {
            sigmas = Schedule.part(
                sigmas, from: start, to: row["last_step"]?.intValue ?? 10_000,
                returnsLeftoverNoise: row["force_full_denoise"]?.boolValue != true)
        }
        let counter = CallCounter()
        let guider = CountingGuider(
            inner: CFGGuider(
                model: model, positive: try conditioning("positive"), negative: try conditioning("negative"), cfg: cfg),
            counter: counter)
        var states: [Tensor] = []
        let result = try SamplingRun.sample(
            guider, noise: RandomNoise(seed: seed), sampler: Samplers.named(samplerName), sigmas: sigmas,
            latent: latent, on: backend, onStep: { states.append($0.x) })
        let error = try relativeError(result.output.samples, tensor(id))
        var trajectoryError: Double?
        if let trajectory = tensors[id + ".x"], !reportingOtherCoordinates.contains(samplerName) {
            // Our reports carry x before the step.
            var compared = states
            if reportingAfterStep.contains(samplerName) { compared = Array(states.dropFirst()) }
            if reportingStart.contains(samplerName) { compared = Array(states.prefix(1)) }
            guard trajectory.shape[0] == states.count else { throw Malformed(what: "reports of \(id)") }
            trajectoryError = try compared.enumerated().map { index, state in
                try relativeError(state, trajectory.slice(axis: 0, index..<index + 1))
            }.max()
        }
        return Outcome(
            id: id, error: error, trajectoryError: trajectoryError, sensitivity: row["sensitivity"]?.doubleValue ?? 0,
            calls: (counter.count, row["model_calls"]?.intValue ?? 0),
            reports: (states.count, row["steps_reported"]?.intValue ?? 0))
    }

    private static func relativeError(_ a: Tensor, _ b: Tensor) throws -> Double {
        guard a.count == b.count else { return .infinity }
        var (difference, size) = (0.0, 0.0)
        for (x, y) in zip(try a.floats(), try b.floats()) {
            difference += Double(x - y) * Double(x - y)
            size += Double(y) * Double(y)
        }
        return (difference / max(size, 1e-30)).squareRoot()
    }
}

/// Counts evaluations of D.
final class CallCounter: @unchecked Sendable {
    // Runs are single-threaded; a run is over before the number is read.
    var count = 0
}

struct CountingGuider: Guider {
    let inner: CFGGuider
    let counter: CallCounter
    var model: DiffusionModel { inner.model }

    func denoiser(for geometry: RunGeometry, on backend: any Backend) throws -> any Denoiser {
        CountingDenoiser(inner: try inner.denoiser(for: geometry, on: backend), counter: counter)
    }
}

final class CountingDenoiser: Denoiser {
    private let inner: any Denoiser
    private let counter: CallCounter

    init(inner: any Denoiser, counter: CallCounter) {
        self.inner = inner
        self.counter = counter
    }

    var sampling: any ModelSampling { inner.sampling }

    func callAsFunction(_ x: Tensor, _ sigma: Float) throws -> Tensor {
        counter.count += 1
        return try inner(x, sigma)
    }
    func withUnconditional(_ x: Tensor, _ sigma: Float) throws -> (denoised: Tensor, unconditional: Tensor) {
        counter.count += 1
        return try inner.withUnconditional(x, sigma)
    }
}
