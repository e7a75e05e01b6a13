import Checkpoints
import Layers
import Tensors

/// Chroma's small network that makes the modulations of all blocks from time, guidance and the number of the modulation
/// (families-flux.md §12).
struct ChromaGuidance: Sendable {
    private struct Layer: Sendable {
        let norm: Tensor
        let expand: LinearWeight
        let contract: LinearWeight
    }
    private let projectionIn: LinearWeight
    private let layers: [Layer]
    private let projectionOut: LinearWeight
    private let counts: ChromaRows.Counts

    /// Numbers of the embeddings of time, guidance and index.
    private static let embeddingWidths = (time: 16, guidance: 16, index: 32)

    init(_ w: Weights, _ c: FluxConfiguration) throws(CheckpointError) {
        let hidden = try w.source.dimensions(w.prefix + ".in_proj.weight", rank: 2)[0]
        let inputs = Self.embeddingWidths.time + Self.embeddingWidths.guidance + Self.embeddingWidths.index
        projectionIn = try w["in_proj"].linear(inputs: inputs, outputs: hidden)
        projectionOut = try w["out_proj"].linear(inputs: hidden, outputs: c.width)
        var layers: [Layer] = []
        for i in 0..<w.count("layers") {
            layers.append(
                Layer(
                    norm: try w["norms"][i].vector("scale", hidden),
                    expand: try w["layers"][i]["in_layer"].linear(inputs: hidden, outputs: hidden),
                    contract: try w["layers"][i]["out_layer"].linear(inputs: hidden, outputs: hidden)))
        }
        self.layers = layers
        counts = ChromaRows.Counts(double: c.doubleBlocks, single: c.singleBlocks)
    }

    /// The modulations at a time.
    func callAsFunction(time: Float, guidance: Float, on b: any Backend) throws -> ChromaRows {
        let count = counts.total
        let widths = Self.embeddingWidths
        let columns = [
            try timeEmbedding([time], width: widths.time, factor: 1000).broadcast(to: [count, widths.time]),
            try timeEmbedding([guidance], width: widths.guidance, factor: 1000)
                .broadcast(to: [count, widths.guidance]),
            try timeEmbedding((0..<count).map { Float($0) }, width: widths.index, factor: 1000),
        ]
        var x = try b.linear(b.place(HostMath.concatenate(columns, axis: 1)), projectionIn)
        for layer in layers {
            let h = try b.rmsNorm(x, weight: layer.norm, epsilon: 1e-6, modulation: nil, result: .compute)
            let u = try b.linear(h, layer.expand, LinearEpilogue(.silu, result: .compute))
            x = try b.add(x, b.linear(u, layer.contract))
        }
        return ChromaRows(rows: try b.linear(x, projectionOut), counts: counts)
    }
}

/// The modulations of all blocks: single blocks first, then the image side of the double blocks, then their text side, then
/// shift and scale of the output layer.
struct ChromaRows: Sendable {
    struct Counts: Sendable {
        let double: Int
        let single: Int
        var total: Int { 3 * single + 12 * double + 2 }
    }
    /// `[counts.total, width]`
    let rows: Tensor
    let counts: Counts

    /// Shifts, scales and gates of a place, each `[batch, width]`.
    func parts(_ place: FluxModulation.Place, batch: Int) throws(TensorError) -> [Tensor] {
        let (start, count) =
            switch place {
            case .single(let block): (3 * block, 3)
            case .image(let block): (3 * counts.single + 6 * block, 6)
            case .text(let block): (3 * counts.single + 6 * (counts.double + block), 6)
            case .final: (counts.total - 2, 2)
            }
        var parts: [Tensor] = []
        for row in start..<start + count {
            parts.append(try rows.slice(axis: 0, row..<row + 1).broadcast(to: [batch, rows.shape[1]]))
        }
        return parts
    }
}
