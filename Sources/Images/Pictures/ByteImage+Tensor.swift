public import Tensors

extension ByteImage {
    /// One item of a picture `[batch, height, width, channels]` as bytes: 255·v clipped and **truncated**
    /// (`families-unet-sampling.md` §19, `pack-nodes.md` §0). A tensor of rank 3 is one picture.
    ///
    /// - Throws: ``ImageError/Code/invalidArgument`` for another rank, more than 4 channels or no pixels.
    public init(truncating image: Tensor, item: Int = 0) throws {
        let whole = image.shape.rank == 3 ? 1 : image.shape.rank == 4 ? image.shape[0] : 0
        let sides = Array(image.shape.array.suffix(3))
        guard item >= 0, item < whole, sides[0] > 0, sides[1] > 0, (1...4).contains(sides[2]) else {
            throw ImageError(
                .invalidArgument,
                "a tensor of shape \(image.shape) has no picture \(item) with 1 to 4 channels; expected "
                    + "[batch, height, width, channels]")
        }
        let one = image.shape.rank == 4 ? try image.slice(axis: 0, item..<item + 1) : image
        self = try one.asFloat32().withElements(of: Float.self) { values in
            try ByteImage(width: sides[1], height: sides[0], channels: sides[2]) { out in
                for i in 0..<values.count { out[i] = truncatedByte(values[i]) }
            }
        }
    }

    /// One item of a mask `[batch, height, width]` as grey bytes, truncated.
    public init(truncatingMask mask: Tensor, item: Int = 0) throws {
        guard mask.shape.rank == 3 else {
            throw ImageError(.invalidArgument, "a mask has the shape [batch, height, width], found \(mask.shape)")
        }
        try self.init(truncating: mask.asFloat32().reshaped(Shape(mask.shape.array + [1])), item: item)
    }

    /// float32 `[1, height, width, channels]`, byte / 255.
    public func floatTensor() throws -> Tensor {
        try withSamples { source in
            try Tensor.build([1, height, width, channels], of: Float.self) { out in
                for i in 0..<source.count { out[i] = Float(source[i]) / 255 }
            }
        }
    }

    /// float32 `[1, height, width]` of one channel, byte / 255.
    public func floatMask(channel: Int = 0) throws -> Tensor {
        guard channel >= 0, channel < channels else {
            throw ImageError(.invalidArgument, "channel \(channel) of a picture with \(channels)")
        }
        return try withSamples { source in
            try Tensor.build([1, height, width], of: Float.self) { out in
                for i in 0..<width * height { out[i] = Float(source[i * channels + channel]) / 255 }
            }
        }
    }
}
