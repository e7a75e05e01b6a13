public import Diffusion
import Glibc
public import Tensors

/// DPM-Solver with adaptive steps (Lu et al. 2022; k-diffusion's PID controller): solutions of orders 2 and 3 (or 1 and
/// 2) are compared, and the step grows or shrinks with their distance. Only the ends of the schedule count.
public struct DPMAdaptiveSampler: Sampler {
    /// The controller's and the tolerances' numbers.
    public struct Parameters: Sendable {
        /// 2 or 3.
        public var order = 3
        public var relativeTolerance: Float = 0.05
        public var absoluteTolerance: Float = 0.0078
        /// First step in −ln σ.
        public var firstStep: Float = 0.05
        public var proportional = 0.0
        public var integral = 1.0
        public var derivative = 0.0
        /// Smallest factor at which a step is accepted.
        public var acceptSafety = 0.81
        public var eta: Float = 0
        public var noiseScale: Float = 1
        public init() {}
    }

    public let name = "dpm_adaptive"
    private let parameters: Parameters
    /// A run that needs more does not converge.
    private static let maximumSteps = 100_000

    public init(_ parameters: Parameters = Parameters()) { self.parameters = parameters }

    /// Chooses step sizes from the error estimates of the last three steps (Söderlind 2003).
    private struct Controller {
        var h: Double
        let exponents: [Double]
        let acceptSafety: Double
        var inverseErrors: [Double] = []

        init(_ parameters: Parameters, h: Double) {
            self.h = h
            let order = parameters.eta > 0 ? 1.5 : Double(parameters.order)
            let (p, i, d) = (parameters.proportional, parameters.integral, parameters.derivative)
            exponents = [(p + i + d) / order, -(p + 2 * d) / order, d / order]
            acceptSafety = parameters.acceptSafety
        }

        /// Whether the step is accepted; the next one's size is set either way.
        mutating func propose(_ error: Double) -> Bool {
            let inverse = 1 / (error + 1e-8)
            if inverseErrors.isEmpty { inverseErrors = [inverse, inverse, inverse] }
            inverseErrors[0] = inverse
            let raw = zip(inverseErrors, exponents).reduce(1.0) { $0 * pow($1.0, $1.1) }
            let factor = 1 + atan(raw - 1)
            let accepted = factor >= acceptSafety
            if accepted { inverseErrors = [inverseErrors[0], inverseErrors[0], inverseErrors[1]] }
            h *= factor
            return accepted
        }
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        let order = parameters.order
        guard order == 2 || order == 3, parameters.firstStep > 0 else {
            throw SamplingError(
                .parameter, "\(name) has order 2 or 3 and a first step above 0; found \(order), \(parameters.firstStep)"
            )
        }
        let solver = DPMSolver(denoiser: denoiser)
        var noise = StepNoise(seed: seed, shape: start.shape)
        var (time, end) = try DPMSolver.times(sigmas, sampler: name)
        let isForward = end > time
        guard isForward || parameters.eta == 0 else {
            throw SamplingError(.parameter, "\(name) with eta needs a descending schedule")
        }
        var controller = Controller(parameters, h: Double(parameters.firstStep) * (isForward ? 1 : -1))
        var x = start
        var previous = start
        var steps = 0
        while isForward ? time < end - 1e-5 : time > end + 1e-5 {
            let proposed = time + Float(controller.h)
            let next = isForward ? min(end, proposed) : max(end, proposed)
            guard next != time, steps < Self.maximumSteps else {
                throw SamplingError(.schedule, "\(name) does not converge: its step shrank to \(controller.h)")
            }
            var target = next
            var added: Float = 0
            if parameters.eta > 0 {
                let split = AncestralSplit.varianceExploding(
                    from: DPMSolver.sigma(time), to: DPMSolver.sigma(next), eta: parameters.eta)
                target = min(end, -log(split.down))
                let (all, kept) = (DPMSolver.sigma(next), DPMSolver.sigma(target))
                added = (all * all - kept * kept).squareRoot() * parameters.noiseScale
            }
            let before = x
            let shared = DPMSolver.Shared()
            let ratio: Float = order == 3 ? 1 / 3 : 1 / 2
            let low = try solver.step(order: order - 1, x, from: time, to: target, ratio: ratio, shared: shared)
            let high = try solver.step(order: order, x, from: time, to: target, ratio: ratio, shared: shared)
            let error = try distance(low, high, previous)
            let sigma = DPMSolver.sigma(time)
            let denoised = try shared.start.map { try Elementwise.zip(before, $0) { $0 - sigma * $1 } } ?? before
            if controller.propose(error) {
                previous = low
                x = added == 0 ? high : try Elementwise.zip(high, noise.next()) { $0 + added * $1 }
                time = next
            }
            steps += 1
            try onStep(
                SamplingStep(
                    step: steps, total: max(sigmas.count - 1, steps), sigma: sigma, x: before, denoised: denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }

    /// ‖(low − high) / max(atol, rtol·max(|low|, |previous|))‖₂ / √count.
    private func distance(_ low: Tensor, _ high: Tensor, _ previous: Tensor) throws -> Double {
        let (relative, absolute) = (parameters.relativeTolerance, parameters.absoluteTolerance)
        let scaled = try Elementwise.zip(low, high, previous) {
            ($0 - $1) / max(absolute, relative * max(abs($0), abs($2)))
        }
        let sum = try scaled.withElements(of: Float.self) { values in
            var sum = 0.0
            for i in values.indices { sum += Double(values[i]) * Double(values[i]) }
            return sum
        }
        return (sum / Double(max(scaled.count, 1))).squareRoot()
    }
}
