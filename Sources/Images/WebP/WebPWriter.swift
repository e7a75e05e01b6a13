internal import CImages

/// Writing pictures as lossy WebP: for previews; pictures that are kept are PNG.
public enum WebPWriter {
    /// A picture of three or four channels as a WebP file in memory.
    ///
    /// - Parameter quality: 0 to 100 in libwebp's scale.
    /// - Throws: ``ImageError``; ``ImageError/Code/tooLarge`` for sides beyond the format's 16383 pixels.
    public static func encode(_ image: ByteImage, quality: Int) throws(ImageError) -> [UInt8] {
        guard (0...100).contains(quality) else {
            throw ImageError(.invalidArgument, "the WebP quality \(quality) is not between 0 and 100")
        }
        guard image.channels == 3 || image.channels == 4 else {
            throw ImageError(
                .invalidArgument, "a WebP file has 3 or 4 channels, the picture has \(image.channels)")
        }
        return try imageErrors {
            try image.withSamples { samples in try encode(samples, image, Float(quality)) }
        }
    }

    private static func encode(_ samples: Span<UInt8>, _ image: ByteImage, _ quality: Float) throws -> [UInt8] {
        var memory: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = unsafe samples.withUnsafeBufferPointer { pixels in
            unsafe ci_webp_encode(
                pixels.baseAddress, UInt32(clamping: image.width), UInt32(clamping: image.height), CInt(image.channels),
                quality, &memory, &count)
        }
        switch Int(status) {
        case Int(CI_OK): break
        case Int(CI_OUT_OF_MEMORY):
            throw ImageError(.outOfMemory, "out of memory while encoding a WebP file")
        case Int(CI_TOO_LARGE):
            throw ImageError(
                .tooLarge, "a WebP file holds at most 16383 pixels a side, found \(image.width)×\(image.height)")
        default: throw ImageError(.invalidArgument, "the picture cannot be encoded as WebP")
        }
        defer { unsafe ci_free(memory) }
        return unsafe [UInt8](UnsafeBufferPointer(start: memory, count: count))
    }
}
