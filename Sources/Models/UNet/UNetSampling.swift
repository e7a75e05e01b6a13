import Checkpoints
import Diffusion
import Sampling
import Tensors

/// The prediction type and noise schedule of a checkpoint (families-unet-sampling.md §1).
enum UNetSampling {
    /// Keys outside the network that say how an SDXL checkpoint was trained.
    static let markers = ["v_pred", "ztsnr", "edm_mean", "edm_std", "edm_vpred.sigma_max", "edm_vpred.sigma_min"]

    static func sampling(
        of source: WeightSource, _ shape: UNetEncoderShape
    ) throws(CheckpointError) -> any ModelSampling {
        defer { source.markUsed(markers) }
        switch shape.kind {
        case .sd1, .refiner: return DiscreteSampling()
        case .sd2:
            // Stability's v-prediction models have no marker, but this bias tells them apart.
            let key = "output_blocks.11.1.transformer_blocks.0.norm1.bias"
            let isVelocity = shape.inputChannels == 4 && (deviation(source, key) ?? 0) > 0.09
            return DiscreteSampling(prediction: isVelocity ? .velocity : .epsilon)
        case .sdxl: break
        }
        if source.contains("edm_mean") && source.contains("edm_std") {
            throw CheckpointError(
                .unsupported,
                "\(source.name) is a Playground v2.5 model (keys \"edm_mean\", \"edm_std\"), which is not supported")
        }
        if source.contains("edm_vpred.sigma_max") {
            let highest = number(source, "edm_vpred.sigma_max") ?? 120
            let lowest = number(source, "edm_vpred.sigma_min") ?? 0.002
            do {
                return try ContinuousSampling(
                    prediction: .velocity, time: .quarterLogarithm, sigmaMin: lowest, sigmaMax: highest)
            } catch {
                throw CheckpointError(.malformed, "\(source.name): \"edm_vpred.sigma_max\": \(error)")
            }
        }
        if source.contains("v_pred") {
            return DiscreteSampling(prediction: .velocity, zeroTerminalSNR: source.contains("ztsnr"))
        }
        return DiscreteSampling()
    }

    private static func number(_ source: WeightSource, _ key: String) -> Double? {
        guard let tensor = source.pieces[key]?.first?.tensor, tensor.count == 1 else { return nil }
        return (try? tensor.floats())?.first.map { Double($0) }
    }

    /// The biased standard deviation of a tensor.
    private static func deviation(_ source: WeightSource, _ key: String) -> Double? {
        guard let values = try? source.pieces[key]?.first?.tensor.floats(), !values.isEmpty else { return nil }
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
        let sum = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return (sum / Double(values.count)).squareRoot()
    }

    /// The marks of a checkpoint for a model with this sampling, and the name of its prediction in model
    /// specifications (`modelspec.predict_key`).
    static func markers(
        for sampling: any ModelSampling
    ) -> (tensors: [(key: String, tensor: Tensor)], prediction: String?) {
        func number(_ value: Float) -> Tensor? { try? Tensor([value], shape: []) }
        if let sampling = sampling as? DiscreteSampling {
            guard sampling.prediction == .velocity else {
                return ([], sampling.prediction == .epsilon ? "epsilon" : nil)
            }
            var keys = ["v_pred"]
            // The last level of a rescaled table is almost pure noise; trained tables end near 14.6.
            if sampling.sigmaMax > 1000 { keys.append("ztsnr") }
            guard let empty = try? Tensor([Float](), shape: [0]) else { return ([], "v") }
            return (keys.map { (key: $0, tensor: empty) }, "v")
        }
        if let sampling = sampling as? ContinuousSampling, sampling.prediction == .velocity,
            sampling.time == .quarterLogarithm, let highest = number(sampling.sigmaMax),
            let lowest = number(sampling.sigmaMin)
        {
            return ([("edm_vpred.sigma_max", highest), ("edm_vpred.sigma_min", lowest)], "v")
        }
        return ([], nil)
    }
}
