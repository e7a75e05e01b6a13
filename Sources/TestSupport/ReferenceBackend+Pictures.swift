import Foundation
public import Tensors

extension ReferenceBackend {
    public func groupNorm(
        _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation
    ) throws(TensorError) -> Tensor {
        try checked(x.shape.rank == 4 && groups > 0 && x.shape[3] % groups == 0, "groupNorm: \(x.shape), \(groups)")
        let (batch, pixels, channels) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
        let size = channels / groups
        var all = try values(x)
        let (weights, biases) = (try values(weight), try values(bias))
        try checked(weights.count == channels && biases.count == channels, "groupNorm: weight or bias")
        for item in 0..<batch {
            for group in 0..<groups {
                var members: [Int] = []
                for pixel in 0..<pixels {
                    for channel in 0..<size {
                        members.append((item * pixels + pixel) * channels + group * size + channel)
                    }
                }
                let mean = members.reduce(0) { $0 + all[$1] } / Double(members.count)
                let variance = members.reduce(0) { $0 + (all[$1] - mean) * (all[$1] - mean) } / Double(members.count)
                let factor = 1 / (variance + Double(epsilon)).squareRoot()
                for index in members {
                    all[index] = (all[index] - mean) * factor * weights[index % channels] + biases[index % channels]
                }
            }
        }
        return try activate(tensor(all, x.shape), activation, result: .full)
    }

    public func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation
    ) throws(TensorError) -> Tensor {
        try checked(
            x.shape.rank == 4 && kernel.shape.rank == 4 && kernel.shape[1] == x.shape[3] && stride > 0,
            "convolution: \(x.shape) with \(kernel.shape)")
        let (batch, height, width, inputs) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let (outputs, kh, kw) = (kernel.shape[0], kernel.shape[2], kernel.shape[3])
        let (tall, wide) = (height + padding.top + padding.bottom, width + padding.left + padding.right)
        try checked(tall >= kh && wide >= kw, "convolution: \(x.shape) is smaller than \(kernel.shape)")
        let (outHeight, outWidth) = ((tall - kh) / stride + 1, (wide - kw) / stride + 1)
        let (picture, weights) = (try values(x), try values(kernel))
        let offsets = try bias.map { b throws(TensorError) in try values(b) }
        try checked(offsets == nil || offsets?.count == outputs, "convolution: bias")
        var result: [Double] = []
        for item in 0..<batch {
            for row in 0..<outHeight {
                for column in 0..<outWidth {
                    for output in 0..<outputs {
                        var sum = offsets?[output] ?? 0
                        for i in 0..<kh {
                            let y = row * stride + i - padding.top
                            if y < 0 || y >= height { continue }
                            for j in 0..<kw {
                                let at = column * stride + j - padding.left
                                if at < 0 || at >= width { continue }
                                for input in 0..<inputs {
                                    sum +=
                                        picture[((item * height + y) * width + at) * inputs + input]
                                        * weights[((output * inputs + input) * kh + i) * kw + j]
                                }
                            }
                        }
                        result.append(sum)
                    }
                }
            }
        }
        return try activate(tensor(result, [batch, outHeight, outWidth, outputs]), activation, result: .full)
    }

    public func resizeNearest(_ x: Tensor, height: Int, width: Int) throws(TensorError) -> Tensor {
        try checked(
            x.shape.rank == 4 && height >= 0 && width >= 0 && (x.shape[1] > 0 || height == 0)
                && (x.shape[2] > 0 || width == 0), "resizeNearest: \(x.shape)")
        try checked(
            Shape.checkedCount([x.shape[0], height, width, x.shape[3], 4]) != nil, "resizeNearest: \(height) × \(width)"
        )
        let (batch, inHeight, inWidth, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let all = try values(x)
        var result: [Double] = []
        for item in 0..<batch {
            for row in 0..<height {
                // The ratio is float32, as in torch.
                let y = min(Int(Float(row) * (Float(inHeight) / Float(height))), inHeight - 1)
                for column in 0..<width {
                    let at = min(Int(Float(column) * (Float(inWidth) / Float(width))), inWidth - 1)
                    let start = ((item * inHeight + y) * inWidth + at) * channels
                    result += all[start..<start + channels]
                }
            }
        }
        return try tensor(result, [batch, height, width, channels])
    }
}
