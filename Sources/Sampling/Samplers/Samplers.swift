public import Diffusion

/// The samplers by name.
public enum Samplers {
    /// In the reference's order. The `_gpu` names differ from the plain ones only in where the reference draws noise.
    public static let all: [any Sampler] = [
        EulerSampler(),
        EulerCFGPlusPlusSampler(),
        EulerAncestralSampler(),
        EulerCFGPlusPlusSampler(name: "euler_ancestral_cfg_pp", eta: 1),
        HeunSampler(),
        HeunPP2Sampler(),
        DPM2Sampler(),
        DPM2Sampler(name: "dpm_2_ancestral", eta: 1),
        LMSSampler(),
        DPMFastSampler(),
        DPMAdaptiveSampler(),
        DPMPlusPlus2SAncestralSampler(),
        DPMPlusPlus2SAncestralSampler(isCFGPlusPlus: true),
        DPMPlusPlusSDESampler(),
        DPMPlusPlusSDESampler(name: "dpmpp_sde_gpu"),
        DPMPlusPlus2MSampler(),
        DPMPlusPlus2MCFGPlusPlusSampler(),
        DPMPlusPlus2MSDESampler(),
        DPMPlusPlus2MSDESampler(name: "dpmpp_2m_sde_gpu"),
        DPMPlusPlus2MSDESampler(name: "dpmpp_2m_sde_heun", solver: .heun),
        DPMPlusPlus2MSDESampler(name: "dpmpp_2m_sde_heun_gpu", solver: .heun),
        DPMPlusPlus3MSDESampler(),
        DPMPlusPlus3MSDESampler(name: "dpmpp_3m_sde_gpu"),
        DDPMSampler(),
        LCMSampler(),
        IPNDMSampler(),
        IPNDMSampler(variableSteps: true),
        DEISSampler(),
        ResMultistepSampler(),
        ResMultistepSampler(isCFGPlusPlus: true),
        ResMultistepSampler(eta: 1),
        ResMultistepSampler(eta: 1, isCFGPlusPlus: true),
        GradientEstimationSampler(),
        GradientEstimationSampler(isCFGPlusPlus: true),
        ERSDESampler(),
        SEEDSSampler(stages: 2),
        SEEDSSampler(stages: 3),
        SASolverSampler(),
        SASolverSampler(
            {
                var parameters = SASolverSampler.Parameters()
                parameters.evaluatesAgain = true
                return parameters
            }()),
        EulerSampler(name: "ddim", redrawsMaskNoise: true),
        UniPCSampler(variant: .bh1),
        UniPCSampler(variant: .bh2),
    ]

    /// - Throws: ``SamplingError/Code/unknownName``, listing what exists.
    public static func named(_ name: String) throws -> any Sampler {
        guard let sampler = all.first(where: { $0.name == name }) else {
            throw SamplingError(
                .unknownName, "no sampler \"\(name)\"; there are: \(all.map(\.name).joined(separator: ", "))")
        }
        return sampler
    }
}
