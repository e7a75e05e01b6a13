import Tensors

/// Convolutions, group norm, resizing.
let pictureCases: [OperationCase] = {
    var cases: [OperationCase] = []
    func convolution(
        _ name: String, _ x: Shape, _ kernel: Shape, stride: Int = 1, padding: EdgePadding, bias: Bool = true,
        type: DType = .float32, activation: Activation = .identity
    ) {
        cases.append(
            OperationCase("convolution \(name) \(x) with \(kernel)", coarse: 1e-5) { backend in
                let fan = Float(kernel[1] * kernel[2] * kernel[3])
                return try backend.convolution(
                    noise(x, 1), kernel: noise(kernel, 2, scale: 1 / fan.squareRoot()).converted(to: type),
                    bias: bias ? noise([kernel[0]], 3) : nil, stride: stride, padding: padding, activation: activation)
            })
    }
    let corner = EdgePadding(top: 0, left: 0, bottom: 1, right: 1)
    convolution("", [1, 9, 11, 4], [16, 4, 3, 3], padding: EdgePadding(1))
    convolution("", [2, 33, 17, 3], [32, 3, 3, 3], padding: EdgePadding(1))
    convolution("", [1, 40, 24, 32], [3, 32, 3, 3], padding: EdgePadding(1), type: .bfloat16)
    convolution("", [1, 16, 16, 64], [64, 64, 3, 3], padding: EdgePadding(1), bias: false)
    convolution("", [1, 7, 5, 128], [48, 128, 3, 3], padding: EdgePadding(1), type: .float16, activation: .silu)
    convolution("1 × 1", [1, 13, 10, 17], [5, 17, 1, 1], padding: EdgePadding(0))
    convolution("stride 2, corner", [1, 16, 16, 32], [32, 32, 3, 3], stride: 2, padding: corner)
    convolution("stride 2, corner, odd", [1, 33, 19, 16], [16, 16, 3, 3], stride: 2, padding: corner)
    convolution("stride 2", [2, 15, 22, 8], [24, 8, 3, 3], stride: 2, padding: EdgePadding(1), activation: .silu)
    convolution("no padding", [1, 20, 21, 6], [7, 6, 3, 3], padding: EdgePadding(0))
    convolution("one pixel", [1, 1, 1, 8], [8, 8, 3, 3], padding: EdgePadding(1))
    convolution("asymmetric", [1, 30, 9, 5], [6, 5, 3, 2], padding: EdgePadding(top: 2, left: 1, bottom: 0, right: 0))
    convolution("4 × 4 patches", [1, 16, 20, 3], [10, 3, 4, 4], stride: 4, padding: EdgePadding(0))
    convolution("empty batch", [0, 4, 4, 3], [10, 3, 3, 3], padding: EdgePadding(1))

    for (shape, groups): (Shape, Int) in [
        ([1, 8, 8, 32], 32), ([2, 13, 7, 64], 32), ([1, 40, 40, 128], 32), ([1, 5, 3, 6], 2), ([1, 1, 1, 32], 8),
    ] {
        for activation in [Activation.identity, .silu] {
            cases.append(
                OperationCase("groupNorm \(shape) in \(groups), \(activation)") { backend in
                    try backend.groupNorm(
                        noise(shape, 4, mean: 5), groups: groups, weight: noise([shape[3]], 5),
                        bias: noise([shape[3]], 6),
                        epsilon: 1e-6, activation: activation)
                })
        }
    }
    for shape: Shape in [[1, 9, 7, 64], [2, 3, 5, 6], [1, 1, 1, 1], [0, 4, 4, 3], [5, 17]] {
        cases.append(
            OperationCase("parametricRelu \(shape)") { backend in
                try backend.parametricRelu(noise(shape, 8), slopes: noise([shape.last], 9))
            })
    }
    for (height, width) in [(18, 14), (9, 7), (5, 20), (1, 1), (100, 3)] {
        cases.append(
            OperationCase("resizeNearest to \(height) × \(width)", tolerance: 0, coarse: 0) { backend in
                try backend.resizeNearest(noise([2, 9, 7, 5], 7), height: height, width: width)
            })
    }
    return cases
}()
