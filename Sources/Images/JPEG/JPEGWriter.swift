internal import CImages

/// Writing pictures as JPEG: for previews; pictures that are kept are PNG.
public enum JPEGWriter {
    /// A picture as a JPEG file in memory; alpha is left out.
    ///
    /// - Parameter quality: 1 to 100 in libjpeg's scale, with 4:2:0 chroma as libjpeg and Pillow have it by default.
    /// - Throws: ``ImageError``.
    public static func encode(_ image: ByteImage, quality: Int) throws(ImageError) -> [UInt8] {
        guard (1...100).contains(quality) else {
            throw ImageError(.invalidArgument, "the JPEG quality \(quality) is not between 1 and 100")
        }
        guard image.width <= 65500, image.height <= 65500 else {
            throw ImageError(
                .tooLarge, "a JPEG file holds at most 65500 pixels a side, found \(image.width)×\(image.height)")
        }
        let pixels = image.channels == 1 ? image : try image.withoutAlpha()
        return try imageErrors {
            try pixels.withSamples { samples in try encode(samples, pixels, CInt(quality)) }
        }
    }

    private static func encode(_ samples: Span<UInt8>, _ image: ByteImage, _ quality: CInt) throws -> [UInt8] {
        var message = [CChar](repeating: 0, count: 256)
        var memory: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = unsafe samples.withUnsafeBufferPointer { pixels in
            unsafe ci_jpeg_encode(
                pixels.baseAddress, UInt32(image.width), UInt32(image.height), CInt(image.channels), quality, &memory,
                &count, &message, message.count)
        }
        guard status == CInt(CI_OK) else {
            let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let isMemory = status == CInt(CI_OUT_OF_MEMORY)
            throw ImageError(
                isMemory ? .outOfMemory : .invalidArgument, "the picture cannot be encoded as JPEG: \(text)")
        }
        defer { unsafe ci_free(memory) }
        return unsafe [UInt8](UnsafeBufferPointer(start: memory, count: count))
    }
}
