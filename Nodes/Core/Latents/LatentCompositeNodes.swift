import Diffusion
import Images
import JSON
import NodeKit
import Tensors

/// One latent on another, fading out at the sides that lie inside (families-unet-sampling.md §19).
struct LatentComposite: Node {
    static let info = NodeInfo("LatentComposite", displayName: "Latent Composite", category: "latent")

    @Input var samplesTo: Latent
    @Input var samplesFrom: Latent
    @Input(.range(0...16384), .step(8)) var x = 0
    @Input(.range(0...16384), .step(8)) var y = 0
    @Input(.range(0...16384), .step(8)) var feather = 0
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = samplesTo
        guard x >= 0, y >= 0, feather >= 0 else { throw NodeError("x, y and feather must not be negative") }
        let patch = try featheredPatch(
            samplesFrom.samples, on: samplesTo.samples.shape, x: x / 8, y: y / 8, feather: feather / 8)
        latent.samples = try compositeLatents(
            samplesTo.samples, patch.latent, x: x / 8, y: y / 8, mask: feather / 8 > 0 ? patch.mask : nil,
            pixelsPerCell: 1)
    }
}

/// One latent on another, through a mask.
struct LatentCompositeMasked: Node {
    static let info = NodeInfo("LatentCompositeMasked", category: "latent")

    @Input var destination: Latent
    @Input var source: Latent
    @Input(.range(0...16384), .step(8)) var x = 0
    @Input(.range(0...16384), .step(8)) var y = 0
    @Input var resizeSource = false
    @Input var mask: Mask?
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = destination
        latent.samples = try compositeLatents(
            destination.samples, source.samples, x: x, y: y, mask: mask?.tensor, resizeSource: resizeSource)
    }
}

/// Two latents mixed.
struct LatentBlend: Node {
    static let info = NodeInfo("LatentBlend", displayName: "Latent Blend", category: "_for_testing")

    @Input var samples1: Latent
    @Input var samples2: Latent
    @Input(.min(.int(0)), .max(.int(1)), .step(0.01)) var blendFactor = 0.5
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = samples1
        let (first, second) = (Float(blendFactor), Float(1 - blendFactor))
        let other = try fittedLatent(samples2.samples, to: samples1.samples.shape, method: .bicubic)
        latent.samples = try HostMath.zip(samples1.samples, other) { first * $0 + second * $1 }
    }
}
