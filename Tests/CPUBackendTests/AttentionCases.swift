import Tensors

/// Attention and what prepares its operands.
let attentionCases: [OperationCase] = {
    var cases: [OperationCase] = []
    for (batch, heads, width, queries, keys) in [
        (1, 1, 32, 1, 1), (2, 3, 64, 77, 77), (1, 2, 128, 130, 130), (1, 1, 512, 100, 100), (1, 2, 33, 50, 21),
        (2, 2, 40, 5, 300), (1, 4, 8, 49, 257), (1, 2, 64, 0, 5), (1, 2, 64, 5, 0), (0, 2, 64, 5, 5), (1, 3, 1, 9, 9),
        (1, 1, 128, 200, 129), (1, 5, 16, 97, 1),
    ] {
        cases.append(
            OperationCase("attention \(batch) × \(heads) × \(width), \(queries) to \(keys)") { backend in
                try backend.attention(
                    noise([batch, queries, heads * width], 1), noise([batch, keys, heads * width], 2),
                    noise([batch, keys, heads * width], 3), heads: heads, scale: 1 / Float(width).squareRoot(),
                    mask: .none, result: .full)
            })
    }
    for (queries, keys) in [(77, 77), (300, 300), (5, 9), (9, 5)] {
        cases.append(
            OperationCase("attention, causal, \(queries) to \(keys)") { backend in
                try backend.attention(
                    noise([2, queries, 96], 4), noise([2, keys, 96], 5), noise([2, keys, 96], 6), heads: 3, scale: 0.2,
                    mask: .causal, result: .full)
            })
    }
    for shape: Shape in [[1, 1, 60, 140], [2, 1, 60, 140], [1, 2, 60, 140], [2, 2, 60, 140]] {
        cases.append(
            OperationCase("attention, additive mask \(shape)") { backend in
                var bias = try noise(shape, 7).floats()
                for i in stride(from: 0, to: bias.count, by: 3) { bias[i] = -.infinity }
                // One query that sees nothing at first, one that sees nothing at all.
                for key in 0..<130 { bias[140 * 4 + key] = -.infinity }
                for key in 0..<140 { bias[140 * 9 + key] = -.infinity }
                return try backend.attention(
                    noise([2, 60, 64], 8), noise([2, 140, 64], 9), noise([2, 140, 64], 10), heads: 2, scale: 0.3,
                    mask: .additive(Tensor(bias, shape: shape)), result: .full)
            })
    }
    cases.append(
        OperationCase("attention, large logits, negative scale") { backend in
            try backend.attention(
                noise([1, 70, 64], 11, scale: 8).converted(to: .bfloat16),
                noise([1, 200, 64], 12, scale: 4).converted(to: .bfloat16), noise([1, 200, 64], 13), heads: 1,
                scale: -0.25, mask: .none, result: .full)
        })
    cases.append(
        OperationCase("attention, column views of a fused projection, in the compute type") { backend in
            let fused = try noise([2, 55, 3 * 96 + 7], 14).converted(to: backend.computeType)
            return try backend.attention(
                fused.slice(axis: 2, 0..<96), fused.slice(axis: 2, 96..<192), fused.slice(axis: 2, 195..<291), heads: 3,
                scale: 0.2, mask: .none, result: .compute)
        })
    cases.append(
        OperationCase("attention, token slices") { backend in
            try backend.attention(
                noise([2, 30, 64], 15).slice(axis: 1, 3..<20), noise([2, 50, 64], 16).slice(axis: 1, 10..<50),
                noise([2, 45, 64], 17).slice(axis: 1, 5..<45), heads: 2, scale: 0.2, mask: .none, result: .full)
        })

    @Sendable func table(_ tokens: Int, _ half: Int, _ pairing: RotaryTable.Pairing) throws -> RotaryTable {
        RotaryTable(cosine: try noise([tokens, half], 18), sine: try noise([tokens, half], 19), pairing: pairing)
    }
    for pairing in [RotaryTable.Pairing.interleaved, .halves] {
        for width in [2, 16, 34, 128] {
            cases.append(
                OperationCase("joinHeads, two parts, \(pairing), heads of \(width)") { backend in
                    let fused = try noise([2, 9, 9 * width], 20)
                    return try backend.joinHeads(
                        [
                            HeadPart(noise([2, 5, 3 * width], 21), norm: noise([width], 22, mean: 1)),
                            HeadPart(
                                fused.slice(axis: 2, 3 * width..<6 * width),
                                norm: noise([width], 23, mean: 1).converted(to: .bfloat16)),
                        ], heads: 3, epsilon: 1e-6, rotary: table(14, width / 2, pairing))
                })
        }
    }
    cases.append(
        OperationCase("joinHeads without norm or rotation") { backend in
            try backend.joinHeads([HeadPart(noise([1, 7, 30], 24))], heads: 5, epsilon: 1e-6, rotary: nil)
        })
    cases.append(
        OperationCase("joinHeads with an empty part") { backend in
            try backend.joinHeads(
                [HeadPart(noise([1, 0, 32], 24)), HeadPart(noise([1, 4, 32], 25), norm: noise([16], 26))], heads: 2,
                epsilon: 1e-6, rotary: table(4, 8, .interleaved))
        })
    return cases
}()
