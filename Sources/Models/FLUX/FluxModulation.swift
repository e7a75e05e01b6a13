import Checkpoints
import Diffusion
import Layers
import Tensors

/// Where the shifts, scales and gates of one evaluation come from.
enum FluxModulation: Sendable {
    /// SiLU of the conditioning vector `[batch, width]`: each block has a projection of its own.
    case vector(Tensor)
    /// One row per shift, scale or gate of any block, the same for every batch item (Chroma).
    case rows(ChromaRows)

    /// The place of a layer that is modulated.
    enum Place: Sendable {
        case image(Int), text(Int), single(Int), final
    }

    /// The parts for a place.
    ///
    /// - Parameter weight: the block's own projection, if it has one.
    func parts(
        _ place: Place, _ weight: LinearWeight?, width: Int, batch: Int, on b: any Backend
    ) throws -> ModulationParts {
        switch (self, weight) {
        case (.vector(let vector), let weight?): return try ModulationParts(vector, weight, width: width, on: b)
        case (.rows(let rows), _): return ModulationParts(try rows.parts(place, batch: batch))
        case (.vector, nil):
            throw TensorError(.unsupported, "a FLUX block without modulation weights was given a conditioning vector")
        }
    }
}

/// The embedders of time, guidance and pooled text, whose sum is the conditioning vector (families-flux.md §3.3).
struct FluxEmbedders: Sendable {
    let time: MultilayerEmbedder
    let guidance: MultilayerEmbedder?
    let pooled: MultilayerEmbedder
    let pooledWidth: Int

    init(_ w: Weights, _ c: FluxConfiguration) throws(CheckpointError) {
        let names = ("in_layer", "out_layer")
        time = try MultilayerEmbedder(w["time_in"], names: names, inputs: 256, width: c.width)
        pooled = try MultilayerEmbedder(w["vector_in"], names: names, inputs: c.pooledWidth, width: c.width)
        guidance =
            c.hasGuidance
            ? try MultilayerEmbedder(w["guidance_in"], names: names, inputs: 256, width: c.width) : nil
        pooledWidth = c.pooledWidth
    }

    /// SiLU of the conditioning vector, `[batch, width]`.
    ///
    /// - Parameters:
    ///   - y: pooled text `[batch or 1, pooled]`; missing counts as zeros.
    ///   - strength: distilled guidance; `nil` leaves the term out.
    func vector(batch: Int, time t: Float, pooled y: Tensor?, guidance strength: Float?, on b: any Backend) throws
        -> Tensor
    {
        let times = [Float](repeating: t, count: batch)
        var c = try time(b.place(timeEmbedding(times, width: 256, factor: 1000)), on: b)
        if let guidance, let strength {
            let values = [Float](repeating: strength, count: batch)
            c = try b.add(c, guidance(b.place(timeEmbedding(values, width: 256, factor: 1000)), on: b))
        }
        let y = try y.map { try HostMath.cycleBatch($0, to: batch) } ?? Tensor.zeros([batch, pooledWidth])
        guard y.shape == [batch, pooledWidth] else {
            throw TensorError(
                .shapeMismatch,
                "the pooled text vector has the shape \(y.shape), this model expects \(pooledWidth) numbers: "
                    + "the text encoder belongs to another model family")
        }
        c = try b.add(c, pooled(b.place(y), on: b))
        return try b.activate(c, .silu, result: .full)
    }
}
