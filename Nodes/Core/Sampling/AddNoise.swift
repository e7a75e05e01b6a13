import Diffusion
import NodeKit
import Sampling
import Tensors

/// A latent with as much noise as lies between the first and the last level of a schedule.
struct AddNoise: Node {
    static let info = NodeInfo("AddNoise", category: "_for_testing/custom_sampling/noise")

    @Input var model: DiffusionModel
    @Input var noise: NoiseValue
    @Input var sigmas: Sigmas
    @Input var latentImage: Latent
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = latentImage
        guard let first = sigmas.values.first, let last = sigmas.values.last else { return }
        let format = model.network.latentFormat
        let samples = latentImage.samples
        guard samples.shape.rank == 4, samples.shape[1] == format.channels else {
            throw NodeError(
                "input \"latent_image\": the latent has the shape \(samples.shape); \(model.network.family) takes "
                    + "[batch, \(format.channels), height, width]")
        }
        let start = try HostMath.isZero(samples) ? samples : format.toModel(samples)
        let noisy = try model.sampling.noisy(
            start, noise: noise.source.noise(for: latentImage),
            sigma: sigmas.values.count > 1 ? abs(first - last) : first,
            full: false)
        latent.samples = try HostMath.map(format.fromModel(noisy)) { $0.isFinite ? $0 : 0 }
    }
}
