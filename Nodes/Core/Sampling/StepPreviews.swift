import Diffusion
import Models
import NodeKit

/// Shows pictures of a sampling run's steps, as often as they cost little.
final class StepPreviews {
    /// The most that previews may take of a run's time.
    private static let share = 0.03

    private let context: NodeContext
    private let preview: LatentPreview
    private let start = ContinuousClock.now
    private var spent = Duration.zero
    /// What the last picture took.
    private var cost = Duration.zero
    private var isBroken = false

    /// `nil` when none are wanted, and for latents that nothing is known about.
    init?(_ context: NodeContext, _ model: DiffusionModel) {
        let options = context.previews
        guard options.method != .none, let space = LatentSpace.of(model.network.latentFormat) else { return nil }
        self.context = context
        let decoder = options.method == .taesd ? Self.decoder(space, context) : nil
        preview = LatentPreview(space, decoder: decoder, size: options.size)
    }

    private static func decoder(_ space: LatentSpace, _ context: NodeContext) -> TinyAutoencoder? {
        let stem = space.tinyAutoencoder + "_decoder"
        guard let name = context.files.modelNames("vae_approx").first(where: { $0.hasPrefix(stem + ".") }) else {
            context.warn(
                "previews: no \(stem) in models/vae_approx; previews of \(space.name) are made by latent2rgb instead")
            return nil
        }
        do {
            return try ModelLoader.tinyAutoencoder(
                space, encoder: nil, decoder: context.files.model("vae_approx", name), warn: context.warn)
        } catch {
            context.warn("previews: \(name) cannot be used, latent2rgb is used instead: \(error)")
            return nil
        }
    }

    /// Shows the step, unless that would cost too much.
    func show(_ step: SamplingStep) {
        let begin = ContinuousClock.now
        guard !isBroken, spent + cost <= (begin - start) * Self.share || spent == .zero else { return }
        do {
            let picture = try preview(step.denoised, on: context.backend)
            context.preview(StepPreview(picture: picture, step: step.step, total: step.total))
        } catch {
            isBroken = true
            context.warn("no previews: \(error)")
        }
        cost = ContinuousClock.now - begin
        spent += cost
    }
}
