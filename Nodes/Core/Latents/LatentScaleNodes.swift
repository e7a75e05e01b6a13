import Diffusion
import Images
import NodeKit
import Tensors

/// A latent in another size, given in pixels (families-unet-sampling.md §18).
struct LatentUpscale: Node {
    static let info = NodeInfo("LatentUpscale", displayName: "Upscale Latent", category: "latent")

    @Input var samples: Latent
    @Input(.choices(["nearest-exact", "bilinear", "area", "bicubic", "bislerp"])) var upscaleMethod: String
    @Input(.range(0...16384), .step(8)) var width = 512
    @Input(.range(0...16384), .step(8)) var height = 512
    @Input(.choices(["disabled", "center"])) var crop: String
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        let old = try samples.size
        let size = TargetSize.latent(width: width, height: height, ofWidth: old.width, height: old.height)
        latent = try samples.resized(to: size, method: upscaleMethod, crop: try choice(crop, "crop"))
    }
}

/// A latent enlarged or shrunk by a factor.
struct LatentUpscaleBy: Node {
    static let info = NodeInfo("LatentUpscaleBy", displayName: "Upscale Latent By", category: "latent")

    @Input var samples: Latent
    @Input(.choices(["nearest-exact", "bilinear", "area", "bicubic", "bislerp"])) var upscaleMethod: String
    @Input(.range(0.01...8.0), .step(0.01)) var scaleBy = 1.5
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        let old = try samples.size
        let size = TargetSize.scaled(by: scaleBy, width: old.width, height: old.height)
        latent = try samples.resized(to: size, method: upscaleMethod, crop: .disabled)
    }
}

extension Latent {
    /// Width and height in latent cells.
    ///
    /// - Throws: ``NodeError`` when the latent is no picture.
    var size: (width: Int, height: Int) {
        get throws {
            guard samples.shape.rank == 4 else {
                throw NodeError("a latent has the shape [batch, channels, height, width], found \(samples.shape)")
            }
            return (samples.shape[3], samples.shape[2])
        }
    }

    fileprivate func resized(
        to size: (width: Int, height: Int), method: String, crop: ResizeCrop
    ) throws -> Latent {
        if size == (try self.size) { return self }
        var copy = self
        copy.samples = try commonUpscale(
            samples, width: size.width, height: size.height, method: try choice(method, "upscale_method"), crop: crop)
        return copy
    }
}
