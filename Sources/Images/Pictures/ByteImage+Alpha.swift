extension ByteImage {
    /// The colours alone: three channels of a picture with three or four.
    ///
    /// - Throws: ``ImageError/Code/invalidArgument`` for grey pictures.
    public func withoutAlpha() throws(ImageError) -> ByteImage {
        if channels == 3 { return self }
        try require(channels == 4)
        return try mapped(channels: 3) { source, out in
            for i in 0..<width * height {
                for channel in 0..<3 { out[3 * i + channel] = source[4 * i + channel] }
            }
        }
    }

    /// Black with the alpha of this picture of four channels.
    ///
    /// - Throws: ``ImageError/Code/invalidArgument`` for another number of channels.
    public func onlyAlpha() throws(ImageError) -> ByteImage {
        try require(channels == 4)
        return try mapped(channels: 4) { source, out in
            for i in 0..<width * height {
                for channel in 0..<3 { out[4 * i + channel] = 0 }
                out[4 * i + 3] = source[4 * i + 3]
            }
        }
    }

    /// The colours of this picture with the alpha of another of the same size; both have four channels.
    ///
    /// - Throws: ``ImageError/Code/invalidArgument`` for another size or number of channels.
    public func replacingAlpha(with other: ByteImage) throws(ImageError) -> ByteImage {
        guard other.width == width, other.height == height, other.channels == 4, channels == 4 else {
            throw ImageError(
                .invalidArgument,
                "the alpha of a picture of \(other.width)×\(other.height)×\(other.channels) samples was to be put onto "
                    + "one of \(width)×\(height)×\(channels); expected two RGBA pictures of one size")
        }
        let image = self
        return try imageErrors {
            try other.withSamples { alpha in
                try image.mapped(channels: 4) { source, out in
                    for i in 0..<image.width * image.height {
                        for channel in 0..<3 { out[4 * i + channel] = source[4 * i + channel] }
                        out[4 * i + 3] = alpha[4 * i + 3]
                    }
                }
            }
        }
    }

    private func require(_ isRight: Bool) throws(ImageError) {
        guard isRight else {
            throw ImageError(.invalidArgument, "a picture with alpha was expected, found \(channels) channels")
        }
    }

    private func mapped(
        channels: Int, _ body: (Span<UInt8>, inout MutableSpan<UInt8>) -> Void
    ) throws(ImageError) -> ByteImage {
        try imageErrors {
            try withSamples { source in
                try ByteImage(width: width, height: height, channels: channels) { out in body(source, &out) }
            }
        }
    }
}
