public import Diffusion
public import Tensors

/// Decides at which steps of a run an earlier result may be used again (Zhou et al. 2025, "Less is Enough: Training-Free
/// Video Diffusion Acceleration via Runtime-Adaptive Caching").
///
/// Between two steps the output changes about k times as much as the input, where k is what was seen at the last two
/// computed steps. The expected relative changes k·‖xₙ − xₙ₋₁‖ / ‖v‖ (mean absolute values) add up since the last
/// computed step; below the threshold its result is taken over.
public final class ChangeTracker {
    private let threshold: Double
    private let highest: Float
    private let lowest: Float
    private var previousInput: Tensor?
    private var lastComputed: (input: Tensor, output: Tensor)?
    private var outputSize = 0.0
    /// k.
    private var rate: Double?
    private var accumulated = 0.0

    /// - Parameters:
    ///   - threshold: relative change from which a step is computed.
    ///   - range: of the run, outside of which every step is computed.
    public init(threshold: Double, range: PercentRange, sampling: any ModelSampling) {
        self.threshold = threshold
        highest = Float(sampling.percentToSigma(range.start))
        lowest = Float(sampling.percentToSigma(range.end))
    }

    /// Whether the step at `x` may use what the last computed step gave. Asked once per step.
    public func mayReuse(at x: Tensor, sigma: Float) throws -> Bool {
        defer { previousInput = x }
        guard sigma <= highest, sigma >= lowest, let rate, let previousInput, previousInput.shape == x.shape,
            outputSize > 0
        else {
            accumulated = 0
            return false
        }
        accumulated += try rate * Self.distance(x, previousInput) / outputSize
        if accumulated < threshold { return true }
        accumulated = 0
        return false
    }

    /// Learns from a step that was computed.
    public func note(_ x: Tensor, output: Tensor) throws {
        if let last = lastComputed, last.input.shape == x.shape, last.output.shape == output.shape {
            let moved = try Self.distance(x, last.input)
            rate = moved > 0 ? try Self.distance(output, last.output) / moved : nil
        }
        lastComputed = (x, output)
        outputSize = try Self.size(output)
    }

    /// Mean absolute difference.
    private static func distance(_ a: Tensor, _ b: Tensor) throws -> Double {
        try size(Elementwise.zip(a, b) { $0 - $1 })
    }

    private static func size(_ a: Tensor) throws -> Double {
        try a.asFloat32().withElements(of: Float.self) { values in
            var sum = 0.0
            for i in values.indices { sum += Double(abs(values[i])) }
            return values.isEmpty ? 0 : sum / Double(values.count)
        }
    }
}

/// Reuses network outputs: what the network added to its input at the last computed step, for every conditioning entry
/// (`EasyCache`). The first entry evaluated at a noise level decides for all.
public final class EvaluationReuse: EvaluationShortcut {
    private let tracker: ChangeTracker
    private var sigma: Float?
    private var reuses = false
    /// The entry that decides.
    private var first: Int?
    private var changes: [Int: Tensor] = [:]

    public init(_ tracker: ChangeTracker) { self.tracker = tracker }

    public func output(_ call: NetworkCall, index: Int, _ evaluate: () throws -> Tensor) throws -> Tensor {
        if sigma != call.sigma {
            sigma = call.sigma
            first = index
            reuses = try tracker.mayReuse(at: call.x, sigma: call.sigma)
        }
        if reuses, let change = changes[index], change.shape == call.x.shape {
            return try Elementwise.zip(call.x, change) { $0 + $1 }
        }
        let output = try evaluate()
        if output.shape == call.x.shape { changes[index] = try Elementwise.zip(output, call.x) { $0 - $1 } }
        if index == first { try tracker.note(call.x, output: output) }
        return output
    }
}
