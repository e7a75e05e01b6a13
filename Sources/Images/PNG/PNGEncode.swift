internal import CImages
public import Tensors

/// Writing pictures as PNG.
public enum PNGWriter {
    /// A picture as a PNG file in memory, as SaveImage writes it (`families-unet-sampling.md` §19).
    ///
    /// - Parameters:
    ///   - image: float `[height, width, channels]` or `[1, height, width, channels]` with 1 to 4 channels (grey, grey
    ///     and alpha, RGB, RGBA); a byte is 255·v clipped and truncated.
    ///   - texts: written before the pixels in this order, ASCII as tEXt, other text as iTXt.
    ///   - compressionLevel: 0 to 9; SaveImage uses 4, previews 1.
    /// - Throws: ``ImageError``.
    public static func encode(
        _ image: Tensor, texts: [ImageText] = [], compressionLevel: Int = 4
    ) throws(ImageError) -> [UInt8] {
        guard image.shape.rank == 3 || (image.shape.rank == 4 && image.shape[0] == 1) else {
            throw ImageError(
                .invalidArgument, "one picture [height, width, channels] can be written, found the shape \(image.shape)"
            )
        }
        let pixels = try imageErrors { try ByteImage(truncating: image) }
        return try encode(pixels, texts: texts, compressionLevel: compressionLevel)
    }

    /// Bytes as a PNG file in memory.
    ///
    /// - Throws: ``ImageError``.
    public static func encode(
        _ image: ByteImage, texts: [ImageText] = [], compressionLevel: Int = 4
    ) throws(ImageError) -> [UInt8] {
        guard (0...9).contains(compressionLevel) else {
            throw ImageError(.invalidArgument, "the compression level \(compressionLevel) is not between 0 and 9")
        }
        guard image.width <= Int(Int32.max), image.height <= Int(Int32.max), image.channels <= 4 else {
            throw ImageError(
                .invalidArgument, "a PNG file cannot hold \(image.width)×\(image.height)×\(image.channels) samples")
        }
        var chunks: [UInt8] = []
        for text in texts { try append(text, to: &chunks) }
        return try imageErrors {
            try image.withSamples { samples in try encode(samples, image, chunks, CInt(compressionLevel)) }
        }
    }

    /// Writes a picture file; a failed attempt leaves nothing behind, and an older file of that name in place.
    ///
    /// - Throws: ``ImageError``.
    public static func write(
        _ image: Tensor, to path: String, texts: [ImageText] = [], compressionLevel: Int = 4
    ) throws(ImageError) {
        try writeFile(encode(image, texts: texts, compressionLevel: compressionLevel), to: path)
    }

    /// Writes a picture under the next free name. Other nodes and processes may be writing under the same prefix: none
    /// replaces another's file.
    ///
    /// - Returns: the file's name, without its folder.
    /// - Throws: ``ImageError``.
    public static func write(
        _ image: Tensor, to name: inout OutputName, batchNumber: Int = 0, texts: [ImageText] = [],
        compressionLevel: Int = 4
    ) throws(ImageError) -> String {
        let bytes = try encode(image, texts: texts, compressionLevel: compressionLevel)
        while true {
            let file = name.fileName(batchNumber: batchNumber)
            if try writeFile(bytes, to: name.path(of: file), replacing: false) { return file }
        }
    }

    private static func encode(
        _ samples: Span<UInt8>, _ image: ByteImage, _ chunks: [UInt8], _ level: CInt
    ) throws -> [UInt8] {
        var message = [CChar](repeating: 0, count: 256)
        var memory: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = unsafe samples.withUnsafeBufferPointer { pixels in
            unsafe chunks.withUnsafeBufferPointer { chunks in
                unsafe ci_png_encode(
                    pixels.baseAddress, UInt32(image.width), UInt32(image.height), CInt(image.channels), level,
                    chunks.baseAddress, chunks.count, &memory, &count, &message, message.count)
            }
        }
        guard status == CInt(CI_OK) else {
            let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let isMemory = status == CInt(CI_OUT_OF_MEMORY)
            throw ImageError(
                isMemory ? .outOfMemory : .invalidArgument, "the picture cannot be encoded as PNG: \(text)")
        }
        defer { unsafe ci_free(memory) }
        return unsafe [UInt8](UnsafeBufferPointer(start: memory, count: count))
    }

    /// Appends the record that `ci_png_encode` expects: name, length, data.
    private static func append(_ entry: ImageText, to chunks: inout [UInt8]) throws(ImageError) {
        let keyword = Array(entry.keyword.utf8)
        guard (1...79).contains(keyword.count), keyword.allSatisfy({ (0x20...0x7E).contains($0) }),
            keyword.first != 0x20, keyword.last != 0x20
        else {
            throw ImageError(
                .invalidArgument,
                "the PNG text keyword \(entry.keyword.debugDescription) is not 1 to 79 printable ASCII characters")
        }
        let text = Array(entry.text.utf8)
        guard !text.contains(0) else {
            throw ImageError(.invalidArgument, "the PNG text \(entry.keyword) contains a NUL character")
        }
        let isPlain = text.allSatisfy { $0 < 0x80 }
        // iTXt: no compression, no language, no translated keyword.
        let data = keyword + [0] + (isPlain ? [] : [0, 0, 0, 0]) + text
        guard data.count < Int(Int32.max) else {
            throw ImageError(
                .tooLarge, "the PNG text \(entry.keyword) has \(text.count) bytes, too many for a PNG file")
        }
        chunks += (isPlain ? "tEXt" : "iTXt").utf8
        chunks += bigEndianBytes(data.count)
        chunks += data
    }
}
