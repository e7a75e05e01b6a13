import ArgumentParser
import NodeKit

/// Whether and how pictures of a sampler's steps are made.
struct PreviewSettings: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Pictures of a sampler's steps; taesd needs its decoder in models/vae_approx.",
            valueName: "none|auto|latent2rgb|taesd"),
        transform: { text in
            guard let method = PreviewOptions.Method(rawValue: text) else {
                throw ValidationError("found \"\(text)\", expected none, auto, latent2rgb or taesd")
            }
            return method
        })
    var previewMethod = PreviewOptions.Method.none

    @Option(help: ArgumentHelp("The longer side of these pictures.", valueName: "pixels"))
    var previewSize = 512

    func validate() throws {
        guard (16...8192).contains(previewSize) else {
            throw ValidationError("--preview-size: found \(previewSize), expected 16 to 8192.")
        }
    }

    var options: PreviewOptions { PreviewOptions(method: previewMethod, size: previewSize) }
}
