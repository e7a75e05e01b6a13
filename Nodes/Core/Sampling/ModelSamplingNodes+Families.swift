import Diffusion
import JSON
import NodeKit
import Sampling

/// Shifted flow with times up to 1000 (families-sd3-aura.md §8).
struct ModelSamplingSD3: Node {
    static let info = NodeInfo("ModelSamplingSD3", category: "advanced/model")

    @Input var model: DiffusionModel
    @Input(.range(0.0...100.0), .step(0.01)) var shift = 3.0
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = try model.sampled(shift: shift, multiplier: 1000)
    }
}

/// Shifted flow with times up to 1 (families-sd3-aura.md §8).
struct ModelSamplingAuraFlow: Node {
    static let info = NodeInfo("ModelSamplingAuraFlow", category: "advanced/model")

    @Input var model: DiffusionModel
    @Input(.range(0.0...100.0), .step(0.01)) var shift = 1.73
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = try model.sampled(shift: shift, multiplier: 1)
    }
}

/// The table of SD1 and SDXL with another kind of prediction (families-unet-sampling.md §9).
struct ModelSamplingDiscrete: Node {
    static let info = NodeInfo("ModelSamplingDiscrete", category: "advanced/model")

    @Input var model: DiffusionModel
    @Input(.choices(["eps", "v_prediction", "lcm", "x0", "img_to_img"])) var sampling: String
    @Input var zsnr = false
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = model
        switch sampling {
        case "eps": result.samplingOverride = DiscreteSampling(prediction: .epsilon, zeroTerminalSNR: zsnr)
        case "v_prediction": result.samplingOverride = DiscreteSampling(prediction: .velocity, zeroTerminalSNR: zsnr)
        case "x0": result.samplingOverride = DiscreteSampling(prediction: .sample, zeroTerminalSNR: zsnr)
        case "img_to_img":
            result.samplingOverride = DiscreteSampling(prediction: .imageToImage, zeroTerminalSNR: zsnr)
        case "lcm": result.samplingOverride = DiscreteSampling.distilled(zeroTerminalSNR: zsnr)
        default: throw unsupported(sampling, "eps, v_prediction, x0, img_to_img, lcm")
        }
    }
}

/// Continuous noise levels whose time is ¼ ln σ (families-unet-sampling.md §9).
struct ModelSamplingContinuousEDM: Node {
    static let info = NodeInfo("ModelSamplingContinuousEDM", category: "advanced/model")

    @Input var model: DiffusionModel
    @Input(.choices(["v_prediction", "edm", "edm_playground_v2.5", "eps", "cosmos_rflow"])) var sampling: String
    @Input(.range(0.0...1000.0), .step(0.001), .option("round", .bool(false))) var sigmaMax = 120.0
    @Input(.range(0.0...1000.0), .step(0.001), .option("round", .bool(false))) var sigmaMin = 0.002
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let prediction: Prediction
        switch sampling {
        case "eps": prediction = .epsilon
        case "v_prediction": prediction = .velocity
        case "edm": prediction = .edm(dataDeviation: 0.5)
        default: throw unsupported(sampling, "v_prediction, edm, eps")
        }
        result = model
        result.samplingOverride = try ContinuousSampling(
            prediction: prediction, time: .quarterLogarithm, sigmaMin: sigmaMin, sigmaMax: sigmaMax)
    }
}

/// Continuous noise levels whose time is atan σ · 2/π (families-unet-sampling.md §9).
struct ModelSamplingContinuousV: Node {
    static let info = NodeInfo("ModelSamplingContinuousV", category: "advanced/model")

    @Input var model: DiffusionModel
    @Input(.choices(["v_prediction"])) var sampling: String
    @Input(.range(0.0...1000.0), .step(0.001), .option("round", .bool(false))) var sigmaMax = 500.0
    @Input(.range(0.0...1000.0), .step(0.001), .option("round", .bool(false))) var sigmaMin = 0.03
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = model
        result.samplingOverride = try ContinuousSampling(
            prediction: .velocity, time: .arcTangent, sigmaMin: sigmaMin, sigmaMax: sigmaMax)
    }
}

/// Guidance whose result keeps the positive's contrast (families-unet-sampling.md §13).
struct RescaleCFG: Node {
    static let info = NodeInfo("RescaleCFG", category: "advanced/model")

    @Input var model: DiffusionModel
    @Input(.range(0.0...1.0), .step(0.01)) var multiplier = 0.7
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = model
        result[GuidanceFormula.self] = RescaledGuidance.formula(multiplier: Float(multiplier))
    }
}

extension DiffusionModel {
    /// - Throws: ``NodeError`` for a shift that leaves no noise levels.
    fileprivate func sampled(shift: Double, multiplier: Float) throws -> DiffusionModel {
        guard shift > 0, shift.isFinite else { throw NodeError("input \"shift\": \(shift) is not above 0") }
        var copy = self
        copy.samplingOverride = FlowSampling(shift: shift, multiplier: multiplier)
        return copy
    }
}

private func unsupported(_ sampling: String, _ supported: String) -> NodeError {
    NodeError("input \"sampling\": \"\(sampling)\" is not supported; supported: \(supported)")
}
