import Tensors

/// Norms, element-wise operations and tables.
let rowCases: [OperationCase] = {
    var cases: [OperationCase] = []
    for width in [1, 7, 64, 1025, 3072] {
        cases.append(
            OperationCase("layerNorm over \(width)", tolerance: width == 1 ? 1e-3 : 1e-5) { backend in
                try backend.layerNorm(
                    noise([2, 5, width], 1, mean: 3), weight: noise([width], 2), bias: noise([width], 3),
                    epsilon: 1e-5, modulation: nil, result: .full)
            })
        cases.append(
            OperationCase("rmsNorm over \(width)") { backend in
                try backend.rmsNorm(
                    noise([2, 5, width], 4), weight: noise([width], 5).converted(to: .float16), epsilon: 1e-6,
                    modulation: nil, result: .full)
            })
    }
    cases.append(
        OperationCase("layerNorm, modulated by views, column view, compute type") { backend in
            let vectors = try noise([3, 300], 6)
            return try backend.layerNorm(
                noise([3, 40, 120], 7).slice(axis: 2, 11..<111), weight: nil, bias: nil, epsilon: 1e-6,
                modulation: Modulation(
                    shift: vectors.slice(axis: 1, 100..<200), scale: vectors.slice(axis: 1, 200..<300)),
                result: .compute)
        })
    cases.append(
        OperationCase("rmsNorm, scale only, one for the batch, bfloat16 operand") { backend in
            try backend.rmsNorm(
                noise([3, 4, 48], 8).converted(to: .bfloat16), weight: nil, epsilon: 1e-6,
                modulation: Modulation(shift: nil, scale: noise([1, 48], 9)), result: .full)
        })
    cases.append(
        OperationCase("layerNorm of nothing") { backend in
            try backend.layerNorm(
                noise([1, 0, 8], 8), weight: nil, bias: nil, epsilon: 1e-6, modulation: nil, result: .full)
        })

    for activation in [Activation.identity, .silu, .geluTanh, .gelu, .quickGelu, .relu, .leakyRelu] {
        cases.append(
            OperationCase("activate \(activation)", tolerance: 1e-6) { backend in
                try backend.activate(noise([3, 1111], 10, scale: 4), activation, result: .full)
            })
        cases.append(
            OperationCase("gated \(activation), column views") { backend in
                let both = try noise([2, 9, 200], 11, scale: 2)
                return try backend.gated(
                    both.slice(axis: 2, 0..<100), both.slice(axis: 2, 100..<200), activation, result: .compute)
            })
    }
    cases.append(
        OperationCase("activate far from zero", tolerance: 1e-6) { backend in
            let x = try Tensor([-1e30, -200, -88, -20, -9, 0, 9, 20, 88, 200, 1e30])
            return try backend.activate(x, .silu, result: .full)
        })
    cases.append(
        OperationCase("gelu far from zero", tolerance: 1e-6) { backend in
            let x = try Tensor([-200, -30, -15, -9, -5, -3, -1e-3, 0, 1e-3, 3, 9, 200])
            return try backend.activate(x, .gelu, result: .full)
        })

    for (a, b): (Shape, Shape) in [
        ([4, 7], [4, 7]), ([2, 3, 50], [50]), ([2, 3, 50], [2, 1, 50]), ([2, 3, 50], [2, 3, 1]), ([2, 3, 50], [1]),
        ([2, 3, 4, 5], [3, 1, 5]), ([0, 5], [5]), ([20000], [1]), ([], []), ([3, 1], [3, 1]),
    ] {
        cases.append(OperationCase("add \(a) + \(b)") { try $0.add(noise(a, 12), noise(b, 13)) })
        cases.append(OperationCase("multiply \(a) · \(b)") { try $0.multiply(noise(a, 14), noise(b, 15)) })
    }
    cases.append(
        OperationCase("add, strided and permuted") { backend in
            try backend.add(
                noise([4, 30], 16).slice(axis: 1, 3..<20),
                noise([17, 4], 17).permuted([1, 0]).converted(to: .bfloat16))
        })
    cases.append(
        OperationCase("multiply, permuted views") { backend in
            try backend.multiply(noise([6, 5, 4], 18).permuted([2, 0, 1]), noise([5, 6], 19).permuted([1, 0]))
        })
    cases.append(
        OperationCase("addGated") {
            try $0.addGated(noise([2, 9, 16], 18), gate: noise([2, 16], 19), noise([2, 9, 16], 20))
        })

    for axis in 0..<3 {
        cases.append(
            OperationCase("concatenate along \(axis)", tolerance: 0, coarse: 0) { backend in
                let a = try noise([3, 4, 5], 21)
                let b = try noise([9, 9, 9], 22).slice(axis: 0, 0..<(axis == 0 ? 6 : 3)).slice(
                    axis: 1, 2..<(axis == 1 ? 9 : 6)
                ).slice(axis: 2, 1..<(axis == 2 ? 9 : 6))
                return try backend.concatenate([a, b, a.slice(axis: axis, 0..<0)], axis: axis)
            })
    }
    cases.append(
        OperationCase("contiguous, channels last to first", tolerance: 0, coarse: 0) { backend in
            try backend.contiguous(noise([2, 9, 11, 5], 23).permuted([0, 3, 1, 2]))
        })
    cases.append(
        OperationCase("contiguous from bfloat16", tolerance: 0, coarse: 0) { backend in
            try backend.contiguous(noise([300, 301], 24).converted(to: .bfloat16).slice(axis: 1, 1..<300))
        })
    for type in [DType.float32, .float16, .bfloat16, .float8e4m3, .int32] {
        cases.append(
            OperationCase("gather from \(type.rawValue)", tolerance: 0, coarse: 0) { backend in
                try backend.gather(
                    noise([30, 17], 25, scale: 10).converted(to: type), rows: [29, 0, 3, 3, 11], heldAs: nil)
            })
    }
    for held in [DType.float16, .bfloat16, .float8e4m3, .float8e5m2, .float32] {
        cases.append(
            OperationCase("gather held as \(held.rawValue)", tolerance: 0, coarse: 0) { backend in
                // Subnormal, ordinary, and beyond the largest.
                let scales = try Tensor([1e-9, 1e-7, 1e-5, 1e-3, 0.02, 1, 300, 6e4, 7e4, 1e6], shape: [10, 1])
                let table = try HostMath.zip(
                    noise([10, 64], 26), scales.broadcast(to: [10, 64]).asFloat32(), { $0 * $1 })
                let rows = held == .float16 || held == .float8e5m2 ? Array(0..<7) : Array(0..<10)
                return try backend.gather(table, rows: rows, heldAs: held)
            })
    }
    cases.append(
        OperationCase("gather of nothing", tolerance: 0, coarse: 0) {
            try $0.gather(noise([3, 4], 27), rows: [], heldAs: nil)
        })
    return cases
}()
