import Tensors

/// Linear layers: sizes, weight types, adapters, column blocks, epilogues.
let linearCases: [OperationCase] = {
    var cases: [OperationCase] = []
    @Sendable func weight(
        _ outputs: Int, _ inputs: Int, _ type: DType = .float32, bias: Bool = true, held: DType? = nil,
        scale: Float = 1
    ) throws -> LinearWeight {
        let matrix = try noise([outputs, inputs], 11, scale: 1 / Float(max(inputs, 1)).squareRoot())
        return LinearWeight(
            matrix: try matrix.converted(to: type), heldAs: held, scale: scale,
            bias: bias ? try noise([outputs], 12, scale: 0.3) : nil)
    }

    for (tokens, inputs, outputs) in [
        (1, 1, 1), (1, 33, 7), (3, 64, 130), (8, 515, 66), (9, 64, 64), (13, 33, 65), (77, 96, 200), (130, 257, 515),
        (300, 40, 1024), (0, 8, 8), (5, 8, 0), (40, 0, 8), (3, 0, 8), (2000, 24, 40),
    ] {
        cases.append(
            OperationCase("linear \(tokens) × \(inputs) → \(outputs)") { backend in
                try backend.linear(noise([1, tokens, inputs], 1), weight(outputs, inputs))
            })
    }
    for type in [DType.float64, .float32, .float16, .bfloat16, .float8e4m3, .float8e5m2] {
        for tokens in [2, 50] {
            cases.append(
                OperationCase("linear, weight \(type.rawValue), \(tokens) tokens") { backend in
                    try backend.linear(noise([tokens, 72], 2), weight(90, 72, type))
                })
        }
    }
    for (type, held) in [
        (DType.float32, DType.bfloat16), (.float32, .float16), (.float32, .float8e4m3), (.float16, .float8e5m2),
        (.bfloat16, .float16), (.bfloat16, .float8e4m3), (.float8e4m3, .bfloat16), (.float16, .float32),
        (.float8e5m2, .float8e4m3), (.float64, .bfloat16),
    ] {
        for tokens in [1, 20] {
            cases.append(
                OperationCase("linear, \(type.rawValue) held as \(held.rawValue), \(tokens) tokens") { backend in
                    try backend.linear(
                        noise([tokens, 65], 3), weight(33, 65, type, held: held, scale: tokens == 1 ? 1 : 0.375))
                })
        }
    }
    for activation in [Activation.silu, .geluTanh, .gelu, .quickGelu, .relu, .leakyRelu] {
        cases.append(
            OperationCase("linear, \(activation)") { backend in
                try backend.linear(noise([2, 15, 48], 4), weight(70, 48), LinearEpilogue(activation))
            })
    }
    for tokens in [2, 31] {
        for type in [DType.float32, .bfloat16, .float8e4m3] {
            cases.append(
                OperationCase("linear, two adapters on part of the rows, \(type.rawValue), \(tokens) tokens") {
                    backend in
                    var layer = try weight(300, 64, type, scale: 0.5)
                    layer.adapters = [
                        LowRankAdapter(
                            rows: 0..<300, down: try noise([4, 64], 5, scale: 0.1),
                            up: try noise([300, 4], 6, scale: 0.5).converted(to: .bfloat16), factor: 0.75),
                        LowRankAdapter(
                            rows: 50..<271, down: try noise([9, 64], 7, scale: 0.1).converted(to: .float16),
                            up: try noise([221, 9], 8, scale: 0.5), factor: -1.5),
                    ]
                    return try backend.linear(noise([1, tokens, 64], 9), layer, LinearEpilogue(.silu))
                })
        }
        cases.append(
            OperationCase("linear, rows of a layer with an adapter, \(tokens) tokens") { backend in
                var layer = try weight(120, 32)
                layer.adapters = [
                    LowRankAdapter(
                        rows: 30..<90, down: try noise([3, 32], 5), up: try noise([60, 3], 6), factor: 0.1)
                ]
                return try backend.linear(noise([tokens, 32], 9), layer.rows(40..<100))
            })
        for type in [DType.float32, .bfloat16, .float16] {
            cases.append(
                OperationCase("linear, three column blocks, \(type.rawValue), \(tokens) tokens") { backend in
                    let wide = try noise([2, tokens, 100], 10)
                    return try backend.linear(
                        [
                            wide.slice(axis: 2, 10..<43), noise([2, tokens, 64], 13),
                            wide.slice(axis: 2, 60..<91).converted(to: .bfloat16),
                        ],
                        weight(77, 128, type), LinearEpilogue())
                })
        }
        cases.append(
            OperationCase("linear, column view of the weight, \(tokens) tokens") { backend in
                let matrix = try noise([50, 90], 14, scale: 0.1).slice(axis: 1, 20..<71)
                return try backend.linear(noise([tokens, 51], 15), LinearWeight(matrix: matrix))
            })
        cases.append(
            OperationCase("linear, residual and gate, \(tokens) tokens") { backend in
                let stream = try noise([2, tokens, 100], 16).slice(axis: 2, 5..<85)
                let gates = try noise([2, 240], 17).slice(axis: 1, 80..<160)
                return try backend.linear(
                    noise([2, tokens, 24], 18), weight(80, 24, .bfloat16),
                    LinearEpilogue(.geluTanh, residual: Residual(stream, gate: gates)))
            })
        cases.append(
            OperationCase("linear, residual without gate, in the compute type, \(tokens) tokens") { backend in
                try backend.linear(
                    noise([1, tokens, 24], 18), weight(80, 24),
                    LinearEpilogue(residual: Residual(noise([1, tokens, 80], 19)), result: .compute))
            })
        cases.append(
            OperationCase("linear, token slice of a batch, \(tokens) tokens") { backend in
                let x = try noise([3, tokens + 6, 40], 20).slice(axis: 1, 2..<2 + tokens)
                let stream = try noise([3, tokens + 9, 30], 21).slice(axis: 1, 9..<9 + tokens)
                return try backend.linear(
                    x, weight(30, 40), LinearEpilogue(residual: Residual(stream), result: .compute))
            })
    }
    cases.append(
        OperationCase("linear, one gate for the batch, permuted operand") { backend in
            let x = try noise([20, 3, 24], 22).permuted([1, 0, 2])
            return try backend.linear(
                x, weight(16, 24),
                LinearEpilogue(residual: Residual(noise([3, 20, 16], 23), gate: noise([1, 16], 24))))
        })
    cases.append(
        OperationCase("linear, converted in several pieces") { backend in
            try backend.linear(
                [noise([12, 4100], 25), noise([12, 9000], 26)], weight(20, 13100, .float16), LinearEpilogue())
        })
    return cases
}()
