import Tensors
import Text

/// Looking tokens up in an encoder's table.
enum TokenRows {
    /// The table's rows for the chunks, textual inversions put in where they stand.
    ///
    /// - Parameter chunks: of equal length.
    /// - Returns: `[chunks, tokens, width]`, float32.
    static func embed(
        _ chunks: [TokenChunk], table: Tensor, heldAs: DType?, on b: any Backend
    ) throws -> Tensor {
        let width = table.shape[1]
        let length = chunks.first?.count ?? 0
        var ids: [Int] = []
        var inserted: [(position: Int, embedding: PromptEmbedding, row: Int)] = []
        for chunk in chunks {
            guard chunk.count == length else {
                throw TensorError(.shapeMismatch, "chunks of \(length) and \(chunk.count) tokens in one batch")
            }
            for token in chunk.tokens {
                switch token {
                case .id(let id): ids.append(id)
                case .vector(let embedding, let row):
                    inserted.append((ids.count, embedding, row))
                    ids.append(0)
                }
            }
        }
        if let highest = ids.max(), highest >= table.shape[0] {
            throw TensorError(
                .shapeMismatch,
                "token \(highest) is not in the text encoder's table of \(table.shape[0]) rows: the tokenizer belongs to "
                    + "another encoder")
        }
        let shape: Shape = [chunks.count, length, width]
        let rows = try b.gather(table, rows: ids, heldAs: heldAs)
        if inserted.isEmpty { return try rows.reshaped(shape) }
        var values = try b.host(rows).floats()
        for (position, embedding, row) in inserted {
            guard embedding.vectors.shape.last == width else {
                throw TensorError(
                    .shapeMismatch,
                    "the embedding \"\(embedding.name)\" is \(embedding.vectors.shape.last) wide, the text encoder \(width): "
                        + "it was made for another model family")
            }
            let all = try embedding.vectors.floats()
            values.replaceSubrange(
                position * width..<(position + 1) * width, with: all[row * width..<(row + 1) * width])
        }
        return try b.place(Tensor(values, shape: shape))
    }
}

/// Prompt weights (families-sd3-aura.md §5).
enum PromptWeights {
    /// z ← (z − e)·w + e for every token with weight w ≠ 1, e the same place of the empty sequence.
    ///
    /// - Parameters:
    ///   - encoded: host tensor `[chunks + 1, tokens, width]`, the empty sequence last.
    /// - Returns: the chunks one after the other, `[1, chunks · tokens, width]`.
    static func apply(_ chunks: [TokenChunk], to encoded: Tensor) throws -> Tensor {
        let (length, width) = (encoded.shape[1], encoded.shape[2])
        return try encoded.withElements(of: Float.self) { z in
            try Tensor.build([1, chunks.count * length, width], of: Float.self) { out in
                let empty = chunks.count * length * width
                for (c, chunk) in chunks.enumerated() {
                    for t in 0..<length {
                        let weight = Float(chunk.weights[t])
                        let start = (c * length + t) * width
                        for i in 0..<width {
                            let value = z[start + i]
                            if weight == 1 {
                                out[start + i] = value
                            } else {
                                let base = z[empty + t * width + i]
                                out[start + i] = (value - base) * weight + base
                            }
                        }
                    }
                }
            }
        }
    }
}
