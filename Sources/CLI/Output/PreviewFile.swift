import Images
import NodeKit

/// Shows previews to somebody who looks at a file: each takes the place of the one before.
struct PreviewFile: Sendable {
    let path: String

    /// Best effort: a preview that cannot be written is no reason to stop.
    func show(_ preview: StepPreview) {
        guard let bytes = try? PNGWriter.encode(preview.picture, compressionLevel: 1) else { return }
        try? OutputFile.write(bytes, to: path)
    }
}
