public import Tensors

/// Writing animated PNG files (PNG 3rd edition, §11.3.6).
public enum PNGAnimationWriter {
    /// The pictures of a batch as one file; a single picture is a plain PNG.
    ///
    /// - Parameters:
    ///   - images: `[batch, height, width, 1 to 4 channels]`, 0…1.
    ///   - milliseconds: how long each is shown.
    ///   - texts: written after the pixels, as ComfyUI does for animations.
    /// - Throws: ``ImageError``.
    public static func encode(
        _ images: Tensor, milliseconds: Int, texts: [ImageText] = [], compressionLevel: Int = 4
    ) throws -> [UInt8] {
        let count = try frameCount(images)
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        var sequence = 0
        for index in 0..<count {
            let frame = try PNGFile(
                PNGWriter.encode(ByteImage(truncating: images, item: index), compressionLevel: compressionLevel),
                limits: ImageLimits())
            if index == 0 {
                // The header chunk stands between the signature and everything else: length, name, 13 bytes, check sum.
                file += frame.bytes[8..<33]
                if count > 1 {
                    // 0: for ever.
                    let control = bigEndianBytes(count) + bigEndianBytes(0)
                    appendChunk(&file, PNGFile.ChunkName.animation, control[...])
                }
            }
            if count > 1 {
                appendControl(&file, frame.header, milliseconds, &sequence)
            }
            for chunk in frame.chunks where chunk.name == PNGFile.ChunkName.pixels {
                if index == 0 {
                    appendChunk(&file, chunk.name, frame.bytes[chunk.data])
                } else {
                    let data = bigEndianBytes(sequence) + frame.bytes[chunk.data]
                    sequence += 1
                    appendChunk(&file, PNGFile.ChunkName.framePixels, data[...])
                }
            }
        }
        for text in texts {
            let data = Array(text.keyword.utf8) + [0] + Array(text.text.utf8)
            appendChunk(&file, PNGFile.ChunkName.comfyText, data[...])
        }
        appendChunk(&file, PNGFile.ChunkName.end, [])
        return file
    }

    /// Size, place and duration of the next frame; it replaces what was there before.
    private static func appendControl(
        _ file: inout [UInt8], _ header: PNGHeader, _ milliseconds: Int, _ sequence: inout Int
    ) {
        var data = bigEndianBytes(sequence) + bigEndianBytes(header.width) + bigEndianBytes(header.height)
        data += bigEndianBytes(0) + bigEndianBytes(0)
        // Numerator and denominator of the seconds.
        let shown = min(max(milliseconds, 0), 65535)
        data += [UInt8(truncatingIfNeeded: shown >> 8), UInt8(truncatingIfNeeded: shown), 0x03, 0xE8, 0, 0]
        sequence += 1
        appendChunk(&file, PNGFile.ChunkName.frameControl, data[...])
    }
}

/// The number of pictures of a batch that is to become an animation.
///
/// - Throws: ``ImageError/Code/invalidArgument`` for another shape or no pictures.
func frameCount(_ images: Tensor) throws(ImageError) -> Int {
    guard images.shape.rank == 4, images.shape[0] > 0 else {
        throw ImageError(
            .invalidArgument,
            "an animation is made of pictures [batch, height, width, channels], at least one; found \(images.shape)")
    }
    return images.shape[0]
}
