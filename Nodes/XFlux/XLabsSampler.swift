import Diffusion
import JSON
import NodeKit
import Sampling
import Tensors

/// XLabs' sampler for FLUX: plain Euler steps, with true guidance from some step on (pack-nodes.md §6).
///
/// The pack draws its noise on the graphics card in half precision; here it is torch's float32 noise of the processor for
/// the same seed, so pictures are other ones of the same kind.
struct XLabsSampler: Node {
    static let info = NodeInfo("XlabsSampler", displayName: "Xlabs Sampler", category: "XLabsNodes", work: .sampling)

    @Input var model: DiffusionModel
    @Input var conditioning: ConditioningValue
    @Input var negConditioning: ConditioningValue
    @Input(.min(.int(0)), .max(.uint(.max)), .controlAfterGenerate) var noiseSeed: UInt64 = 0
    @Input(.range(1...100)) var steps = 20
    @Input(.range(0...100), .tooltip("The first step with guidance by the negative.")) var timestepToStartCfg = 20
    @Input(.range(0.0...100.0), .step(0.1)) var trueGs = 3.0
    @Input(.range(0.0...1.0), .step(0.01), .tooltip("0: the latent only gives the size.")) var imageToImageStrength =
        0.0
    @Input(.optional, .range(0.0...1.0), .step(0.01)) var denoiseStrength = 1.0
    @Input var latentImage: Latent?
    @Input var controlnetCondition: XLabsControlCondition?
    @Output("latent") var result: Latent

    func run(_ context: NodeContext) async throws {
        guard (1...10_000).contains(steps) else {
            throw NodeError("input \"steps\": \(steps) is not between 1 and 10000")
        }
        guard let latentImage else {
            throw NodeError("input \"latent_image\": nothing is connected; its size is needed")
        }
        let format = model.network.latentFormat
        guard model.sampling.isFlow, format.channels == 16 else {
            throw NodeError("this sampler is for FLUX, found \(model.network.family); use KSampler")
        }
        let shape = latentImage.samples.shape
        guard shape.rank == 4, shape.count > 0, shape[2] >= 2, shape[3] >= 2 else {
            throw NodeError("a latent has the shape [batch, channels, height, width], found \(shape)")
        }
        let (rows, columns) = (shape[2] / 2, shape[3] / 2)
        let size: Shape = [shape[0], 16, rows * 2, columns * 2]
        let isFromPicture = imageToImageStrength > 0 && shape[1] == 16
        let times = XLabsSchedule.part(
            of: XLabsSchedule.times(steps: steps, tokens: rows * columns), denoise: denoiseStrength,
            imageStrength: isFromPicture ? imageToImageStrength : 0)
        guard let first = times.first else {
            throw NodeError("denoise_strength \(denoiseStrength) leaves none of the \(steps) steps; give a larger one")
        }

        var x = try RandomNoise(seed: noiseSeed).noise(for: Latent(samples: Tensor.zeros(size)))
        var start = try Tensor.zeros(size)
        if isFromPicture {
            start = try format.toModel(
                latentImage.samples.slice(axis: 2, 0..<rows * 2).slice(axis: 3, 0..<columns * 2).asFloat32())
            x = try HostMath.zip(x, start) { first * $0 + (1 - first) * $1 }
        }
        var model = model
        model.samplingOverride = FluxSampling(
            maxShift: 1.15, baseShift: 0.5, width: columns * 16, height: rows * 16)
        let geometry = RunGeometry(latentShape: size, latent: start, noiseMask: nil, sampling: model.sampling)
        let velocity = XLabsVelocity(
            model: model, conditioning: try entry(conditioning, "conditioning"),
            negative: try entry(negConditioning, "neg_conditioning"), controls: controlnetCondition?.entries ?? [],
            geometry: geometry, backend: context.backend)
        x = try velocity.integrate(
            x, times, steps: steps, guidance: (from: timestepToStartCfg, strength: Float(trueGs)), context)
        guard try !HostMath.hasNonFinite(x) else {
            throw NodeError("NaN or infinite numbers appeared; try another precision, or lower guidance and strengths")
        }
        result = Latent(samples: try format.fromModel(x))
    }

    /// The first entry alone, with the positive's guidance number.
    private func entry(_ value: ConditioningValue, _ input: String) throws -> ConditioningEntry {
        guard var entry = value.entries.first else { throw NodeError("input \"\(input)\": the conditioning is empty") }
        entry[Guidance.self] = conditioning.entries.first?[Guidance.self] ?? 1.0
        return entry
    }
}
