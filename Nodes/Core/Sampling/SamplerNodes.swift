import Diffusion
import JSON
import NodeKit
import Sampling

/// euler_ancestral with its numbers.
struct SamplerEulerAncestral: Node {
    static let info = NodeInfo("SamplerEulerAncestral", category: "sampling/custom_sampling/samplers")

    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var eta = 1.0
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var sNoise = 1.0
    @Output var sampler: SamplerValue

    func run(_ context: NodeContext) async throws {
        sampler = SamplerValue(EulerAncestralSampler(eta: Float(eta), noiseScale: Float(sNoise)))
    }
}

/// euler_ancestral_cfg_pp with its numbers.
struct SamplerEulerAncestralCFGPP: Node {
    static let info = NodeInfo(
        "SamplerEulerAncestralCFGPP", displayName: "SamplerEulerAncestralCFG++",
        category: "sampling/custom_sampling/samplers")

    @Input(.range(0.0...1.0), .step(0.01), .option("round", .bool(false))) var eta = 1.0
    @Input(.range(0.0...10.0), .step(0.01), .option("round", .bool(false))) var sNoise = 1.0
    @Output var sampler: SamplerValue

    func run(_ context: NodeContext) async throws {
        sampler = SamplerValue(
            EulerCFGPlusPlusSampler(name: "euler_ancestral_cfg_pp", eta: Float(eta), noiseScale: Float(sNoise)))
    }
}

/// lms of another order.
struct SamplerLMS: Node {
    static let info = NodeInfo("SamplerLMS", category: "sampling/custom_sampling/samplers")

    @Input(.range(1...100)) var order = 4
    @Output var sampler: SamplerValue

    func run(_ context: NodeContext) async throws {
        try requireInRange(order, "order", 1...100)
        sampler = SamplerValue(LMSSampler(order: order))
    }
}

/// dpmpp_2s_ancestral with its numbers.
struct SamplerDPMPlusPlus2SAncestral: Node {
    static let info = NodeInfo("SamplerDPMPP_2S_Ancestral", category: "sampling/custom_sampling/samplers")

    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var eta = 1.0
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var sNoise = 1.0
    @Output var sampler: SamplerValue

    func run(_ context: NodeContext) async throws {
        sampler = SamplerValue(DPMPlusPlus2SAncestralSampler(eta: Float(eta), noiseScale: Float(sNoise)))
    }
}

/// dpmpp_sde with its numbers. Noise is the same on every device.
struct SamplerDPMPlusPlusSDE: Node {
    static let info = NodeInfo("SamplerDPMPP_SDE", category: "sampling/custom_sampling/samplers")

    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var eta = 1.0
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var sNoise = 1.0
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var r = 0.5
    @Input(.choices(["gpu", "cpu"])) var noiseDevice: String
    @Output var sampler: SamplerValue

    func run(_ context: NodeContext) async throws {
        guard r > 0 else { throw NodeError("input \"r\": \(r) is not above 0") }
        sampler = SamplerValue(DPMPlusPlusSDESampler(eta: Float(eta), noiseScale: Float(sNoise), ratio: Float(r)))
    }
}

/// dpmpp_2m_sde with its numbers. Noise is the same on every device.
struct SamplerDPMPlusPlus2MSDE: Node {
    static let info = NodeInfo("SamplerDPMPP_2M_SDE", category: "sampling/custom_sampling/samplers")

    @Input(.choices(["midpoint", "heun"])) var solverType: String
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var eta = 1.0
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var sNoise = 1.0
    @Input(.choices(["gpu", "cpu"])) var noiseDevice: String
    @Output var sampler: SamplerValue

    func run(_ context: NodeContext) async throws {
        sampler = SamplerValue(
            DPMPlusPlus2MSDESampler(
                solver: solverType == "heun" ? .heun : .midpoint, eta: Float(eta), noiseScale: Float(sNoise)))
    }
}

/// dpmpp_3m_sde with its numbers. Noise is the same on every device.
struct SamplerDPMPlusPlus3MSDE: Node {
    static let info = NodeInfo("SamplerDPMPP_3M_SDE", category: "sampling/custom_sampling/samplers")

    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var eta = 1.0
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var sNoise = 1.0
    @Input(.choices(["gpu", "cpu"])) var noiseDevice: String
    @Output var sampler: SamplerValue

    func run(_ context: NodeContext) async throws {
        sampler = SamplerValue(DPMPlusPlus3MSDESampler(eta: Float(eta), noiseScale: Float(sNoise)))
    }
}

/// dpm_adaptive with its numbers.
struct SamplerDPMAdaptative: Node {
    static let info = NodeInfo("SamplerDPMAdaptative", category: "sampling/custom_sampling/samplers")

    @Input(.range(2...3)) var order = 3
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var rtol = 0.05
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var atol = 0.0078
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var hInit = 0.05
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var pcoeff = 0.0
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var icoeff = 1.0
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var dcoeff = 0.0
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var acceptSafety = 0.81
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var eta = 0.0
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var sNoise = 1.0
    @Output var sampler: SamplerValue

    func run(_ context: NodeContext) async throws {
        try requireInRange(order, "order", 2...3)
        var parameters = DPMAdaptiveSampler.Parameters()
        parameters.order = order
        parameters.relativeTolerance = Float(rtol)
        parameters.absoluteTolerance = Float(atol)
        parameters.firstStep = Float(hInit)
        parameters.proportional = pcoeff
        parameters.integral = icoeff
        parameters.derivative = dcoeff
        parameters.acceptSafety = acceptSafety
        parameters.eta = Float(eta)
        parameters.noiseScale = Float(sNoise)
        sampler = SamplerValue(DPMAdaptiveSampler(parameters))
    }
}

/// er_sde with its numbers; "ODE" and a reverse-time SDE with eta 0 draw no noise.
struct SamplerERSDE: Node {
    static let info = NodeInfo("SamplerER_SDE", category: "sampling/custom_sampling/samplers")

    @Input(
        .type("COMBO"), .option("options", .array([.string("ER-SDE"), .string("Reverse-time SDE"), .string("ODE")])))
    var solverType: String
    @Input(.range(1...3)) var maxStage = 3
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var eta = 1.0
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var sNoise = 1.0
    @Output var sampler: SamplerValue

    func run(_ context: NodeContext) async throws {
        try requireInRange(maxStage, "max_stage", 1...3)
        let process: ERSDESampler.Process
        var noiseScale = Float(sNoise)
        switch solverType {
        case "ER-SDE": process = .extended
        case "Reverse-time SDE", "ODE":
            let strength = solverType == "ODE" ? 0 : Float(eta)
            process = .reverseTime(eta: strength)
            if strength == 0 { noiseScale = 0 }
        default:
            throw NodeError(
                "input \"solver_type\": \"\(solverType)\" is unknown; use ER-SDE, Reverse-time SDE or ODE")
        }
        sampler = SamplerValue(ERSDESampler(stages: maxStage, noiseScale: noiseScale, process: process))
    }
}

/// sa_solver with its numbers.
struct SamplerSASolver: Node {
    static let info = NodeInfo("SamplerSASolver", category: "sampling/custom_sampling/samplers")

    @Input(.tooltip("Its noise levels say where the SDE begins and ends.")) var model: DiffusionModel
    @Input(.range(0.0...10.0), .step(0.01), .option("round", .bool(false))) var eta = 1.0
    @Input(.range(0.0...1.0), .step(0.001)) var sdeStartPercent = 0.2
    @Input(.range(0.0...1.0), .step(0.001)) var sdeEndPercent = 0.8
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var sNoise = 1.0
    @Input(.range(1...6)) var predictorOrder = 3
    @Input(.range(0...6)) var correctorOrder = 4
    @Input(.tooltip("Evaluate once more after every correction.")) var usePece: Bool
    @Input(.named("simple_order_2"), .tooltip("Simplified coefficients for the second order.")) var simpleOrder2: Bool
    @Output var sampler: SamplerValue

    func run(_ context: NodeContext) async throws {
        try requireInRange(predictorOrder, "predictor_order", 1...6)
        try requireInRange(correctorOrder, "corrector_order", 0...6)
        guard !simpleOrder2 else {
            throw NodeError("input \"simple_order_2\": the simplified second order is not supported; switch it off")
        }
        var parameters = SASolverSampler.Parameters()
        parameters.predictorOrder = predictorOrder
        parameters.correctorOrder = correctorOrder
        parameters.evaluatesAgain = usePece
        parameters.eta = Float(eta)
        parameters.startPercent = sdeStartPercent
        parameters.endPercent = sdeEndPercent
        parameters.noiseScale = Float(sNoise)
        sampler = SamplerValue(SASolverSampler(parameters))
    }
}
