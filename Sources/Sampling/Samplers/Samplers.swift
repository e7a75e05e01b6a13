public import Diffusion

/// The samplers by name.
public enum Samplers {
    /// In the reference's order. The `_gpu` names differ from the plain ones only in where the reference draws noise.
    public static let all: [any Sampler] = [
        EulerSampler(),
        EulerAncestralSampler(),
        HeunSampler(),
        DPMPlusPlus2MSampler(),
        DPMPlusPlus2MSDESampler(name: "dpmpp_2m_sde"),
        DPMPlusPlus2MSDESampler(name: "dpmpp_2m_sde_gpu"),
        DPMPlusPlus2MSDESampler(name: "dpmpp_2m_sde_heun", solver: .heun),
        DPMPlusPlus2MSDESampler(name: "dpmpp_2m_sde_heun_gpu", solver: .heun),
        LCMSampler(),
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
