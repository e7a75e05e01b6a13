internal import CImages
public import Tensors

/// Writing WebP files, still and animated (RFC 9649).
public enum WebPWriter {
    /// How frames are compressed.
    public struct Options: Sendable {
        public var isLossless: Bool
        /// 0 to 100; for lossless files the effort.
        public var quality: Int
        /// 0 (fast) to 6 (small).
        public var method: Int

        public init(isLossless: Bool = true, quality: Int = 80, method: Int = 4) {
            self.isLossless = isLossless
            self.quality = quality
            self.method = method
        }
    }

    /// The pictures of a batch as one file; a single picture is a still.
    ///
    /// - Parameters:
    ///   - images: `[batch, height, width, 3 or more channels]`, 0…1; the first three channels are written.
    ///   - milliseconds: how long each is shown.
    ///   - texts: written as EXIF texts "keyword:text", from tag 0x0110 down, as ComfyUI does.
    /// - Throws: ``ImageError``.
    public static func encode(
        _ images: Tensor, milliseconds: Int, options: Options = Options(), texts: [ImageText] = []
    ) throws -> [UInt8] {
        let count = try frameCount(images)
        guard (0...100).contains(options.quality), (0...6).contains(options.method), images.shape[3] >= 3 else {
            throw ImageError(
                .invalidArgument,
                "a WebP file needs RGB pictures, a quality of 0 to 100 and a method of 0 to 6; found \(images.shape), "
                    + "\(options.quality) and \(options.method)")
        }
        let (height, width) = (images.shape[1], images.shape[2])
        guard width > 0, height > 0, width <= 16383, height <= 16383 else {
            throw ImageError(
                .tooLarge, "a WebP picture has at most 16383 × 16383 pixels, found \(width) × \(height)")
        }
        let exif = texts.isEmpty ? [] : exifBlock(texts)
        var body: [UInt8] = Array("WEBP".utf8)
        // Animation 2, EXIF 8.
        var features: [UInt8] = [(count > 1 ? 0x02 : 0) | (exif.isEmpty ? 0 : 0x08), 0, 0, 0]
        features += little(width - 1, 3) + little(height - 1, 3)
        append(&body, "VP8X", features)
        // Transparent black, for ever.
        if count > 1 { append(&body, "ANIM", [0, 0, 0, 0, 0, 0]) }
        for index in 0..<count {
            let picture = try images.slice(axis: 0, index..<index + 1).slice(axis: 3, 0..<3)
            let frame = try bitstream(ByteImage(truncating: picture), options)
            if count == 1 {
                body += frame
                continue
            }
            var data = little(0, 3) + little(0, 3) + little(width - 1, 3) + little(height - 1, 3)
            // Bit 1: the frame replaces what was there before.
            data += little(min(max(milliseconds, 0), 1 << 24 - 1), 3) + [0x02]
            append(&body, "ANMF", data + frame)
        }
        if !exif.isEmpty { append(&body, "EXIF", exif) }
        guard body.count < Int(UInt32.max) else {
            throw ImageError(.tooLarge, "the animation has \(body.count) bytes, too many for a WebP file")
        }
        return Array("RIFF".utf8) + little(body.count, 4) + body
    }

    /// A still picture of three or four channels, with loss, as a file in memory: for previews.
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
        return try imageErrors { try file(image, Options(isLossless: false, quality: quality)) }
    }

    /// The chunk of one picture: what comes after "RIFF", the length and "WEBP".
    private static func bitstream(_ image: ByteImage, _ options: Options) throws -> [UInt8] {
        Array(try file(image, options).dropFirst(12))
    }

    private static func file(_ image: ByteImage, _ options: Options) throws -> [UInt8] {
        var memory: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = try image.withSamples { samples in
            unsafe samples.withUnsafeBufferPointer { pixels in
                unsafe ci_webp_encode(
                    pixels.baseAddress, UInt32(clamping: image.width), UInt32(clamping: image.height),
                    CInt(image.channels), options.isLossless ? 1 : 0, CInt(options.quality), CInt(options.method),
                    &memory, &count)
            }
        }
        switch Int(status) {
        case Int(CI_OK): break
        case Int(CI_OUT_OF_MEMORY):
            throw ImageError(.outOfMemory, "out of memory while encoding a WebP file")
        case Int(CI_TOO_LARGE):
            throw ImageError(
                .tooLarge, "a WebP file holds at most 16383 pixels a side, found \(image.width)×\(image.height)")
        default:
            throw ImageError(
                .invalidArgument, "a picture of \(image.width) × \(image.height) pixels cannot be encoded as WebP")
        }
        defer { unsafe ci_free(memory) }
        return unsafe [UInt8](UnsafeBufferPointer(start: memory, count: count))
    }

    /// A TIFF directory of ASCII entries.
    private static func exifBlock(_ texts: [ImageText]) -> [UInt8] {
        let highest = 0x0110
        let entries = texts.enumerated()
            .map { (tag: highest - $0.offset, text: Array("\($0.element.keyword):\($0.element.text)".utf8) + [0]) }
            .sorted { $0.tag < $1.tag }
        var block: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0] + little(entries.count, 2)
        var offset = 8 + 2 + 12 * entries.count + 4
        var data: [UInt8] = []
        for entry in entries {
            block += little(entry.tag, 2) + little(2, 2) + little(entry.text.count, 4)
            if entry.text.count <= 4 {
                block += entry.text + [UInt8](repeating: 0, count: 4 - entry.text.count)
            } else {
                block += little(offset, 4)
                data += entry.text
                offset += entry.text.count
            }
        }
        return block + little(0, 4) + data
    }

    private static func little(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    /// Chunks start at even positions.
    private static func append(_ body: inout [UInt8], _ name: String, _ data: [UInt8]) {
        body += Array(name.utf8) + little(data.count, 4) + data
        if data.count % 2 == 1 { body.append(0) }
    }
}
