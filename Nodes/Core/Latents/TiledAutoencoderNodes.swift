import Diffusion
import Models
import NodeKit

/// The picture of a latent, tile by tile (families-unet-sampling.md §7).
struct VAEDecodeTiled: Node {
    static let info = NodeInfo("VAEDecodeTiled", displayName: "VAE Decode (Tiled)", category: "_for_testing")

    @Input var samples: Latent
    @Input var vae: AutoencoderValue
    @Input(.range(64...4096), .step(32)) var tileSize = 512
    @Input(.range(0...4096), .step(32)) var overlap = 64
    @Input(.range(8...4096), .step(4)) var temporalSize = 64
    @Input(.range(4...4096), .step(4)) var temporalOverlap = 8
    @Output var image: Image

    func run(_ context: NodeContext) async throws {
        guard let autoencoder = vae.autoencoder as? any TiledAutoencoder else {
            image = Image(try vae.autoencoder.decode(samples.samples, on: context.backend))
            return
        }
        let (tile, shared) = try tiling(tileSize, overlap)
        let scale = autoencoder.downscale
        image = Image(
            try autoencoder.decodeTiled(
                samples.samples, tile: tile / scale, overlap: shared / scale, on: context.backend))
    }
}

/// The latent of a picture, tile by tile.
struct VAEEncodeTiled: Node {
    static let info = NodeInfo("VAEEncodeTiled", displayName: "VAE Encode (Tiled)", category: "_for_testing")

    @Input var pixels: Image
    @Input var vae: AutoencoderValue
    @Input(.range(64...4096), .step(64)) var tileSize = 512
    @Input(.range(0...4096), .step(32)) var overlap = 64
    @Input(.range(8...4096), .step(4)) var temporalSize = 64
    @Input(.range(4...4096), .step(4)) var temporalOverlap = 8
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        guard let autoencoder = vae.autoencoder as? any TiledAutoencoder else {
            latent = Latent(samples: try vae.autoencoder.encode(pixels.tensor, on: context.backend))
            return
        }
        try requireInRange(tileSize, "tile_size", 64...1_048_576)
        try requireInRange(overlap, "overlap", 0...1_048_576)
        latent = Latent(
            samples: try autoencoder.encodeTiled(
                pixels.tensor, tile: tileSize, overlap: overlap, on: context.backend))
    }
}

/// Tile and overlap in pixels; an overlap of more than a quarter tile is cut.
private func tiling(_ tile: Int, _ overlap: Int) throws -> (tile: Int, overlap: Int) {
    try requireInRange(tile, "tile_size", 64...1_048_576)
    try requireInRange(overlap, "overlap", 0...1_048_576)
    return (tile, tile < 4 * overlap ? tile / 4 : overlap)
}
