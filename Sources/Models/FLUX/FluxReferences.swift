import Diffusion
import Layers
import Tensors

/// Reference latents as further image tokens (FLUX Kontext; families-flux.md §10).
enum FluxReferences {
    /// The references of a call.
    ///
    /// - Parameter base: the grid of the picture's own tokens.
    /// - Returns: for each the grid of its positions and its tokens `[batch, tokens, 4·16]`, host memory.
    /// - Throws: ``TensorError/Code/shapeMismatch`` for latents of another number of channels or an unfit batch.
    static func parts(
        _ call: NetworkCall, base: FluxPositions.Grid
    ) throws -> [(grid: FluxPositions.Grid, tokens: Tensor)] {
        guard let latents = call.entry[ReferenceLatents.self], !latents.isEmpty else { return [] }
        let batch = call.x.shape[0]
        for latent in latents {
            let shape = latent.shape
            guard shape.rank == 4, shape[1] == FluxConfiguration.latentChannels, shape[2] > 0, shape[3] > 0 else {
                throw TensorError(
                    .shapeMismatch,
                    "a reference latent has the shape \(shape), FLUX expects [batch, \(FluxConfiguration.latentChannels), "
                        + "h, w]: it was encoded with the VAE of another model family")
            }
            guard shape[0] == 1 || shape[0] == batch else {
                throw TensorError(
                    .shapeMismatch,
                    "a reference latent of batch \(shape[0]) does not fit a run of batch \(batch); use a batch of 1 or "
                        + "\(batch)")
            }
        }
        let grids = grids(
            latents.map { ($0.shape[2], $0.shape[3]) }, base: base,
            method: call.entry[ReferenceLatentPlacement.self] ?? .offset)
        return try zip(grids, latents).map { grid, latent in
            (grid, try HostMath.cycleBatch(Patches.cut(FluxNetwork.latentFormat.toModel(latent)), to: batch))
        }
    }

    /// Where references of these sizes (in latent elements) lie.
    static func grids(
        _ sizes: [(height: Int, width: Int)], base: FluxPositions.Grid, method: ReferenceLatentMethod
    ) -> [FluxPositions.Grid] {
        // The corner that the next reference must keep clear of.
        var (bottom, right) = method == .uxo ? (2 * base.rows, 2 * base.columns) : (0, 0)
        return sizes.enumerated().map { number, size in
            var grid = FluxPositions.Grid(rows: (size.height + 1) / 2, columns: (size.width + 1) / 2)
            var offset = (y: 0, x: 0)
            switch method {
            case .offset:
                grid.index = 1
                // Along the side that keeps the whole nearer to a square.
                if size.height + bottom > size.width + right { offset.x = right } else { offset.y = bottom }
                bottom = max(bottom, size.height + offset.y)
                right = max(right, size.width + offset.x)
            case .index:
                grid.index = number + 1
            case .uxo:
                offset = (bottom, right)
                bottom += size.height
                right += size.width
            }
            grid.rowOffset = (offset.y + 1) / 2
            grid.columnOffset = (offset.x + 1) / 2
            return grid
        }
    }
}
