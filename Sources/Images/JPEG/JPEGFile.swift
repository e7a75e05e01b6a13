internal import CImages
internal import Tensors

/// A JPEG file: its header and metadata segments (ITU-T T.81, annex B).
struct JPEGFile {
    let bytes: [UInt8]
    let width: Int
    let height: Int
    let components: Int
    let exif: Exif?
    private let xmp: String?

    /// Reads the segments up to the first scan.
    init(_ bytes: [UInt8], limits: ImageLimits) throws(ImageError) {
        var exif: Exif?
        var xmp: String?
        var frame: [UInt8]?
        var kind: UInt8 = 0
        var position = 2
        while position + 4 <= bytes.count, frame == nil {
            guard bytes[position] == 0xFF else { throw Self.damaged("a marker is missing") }
            let marker = bytes[position + 1]
            // Fill bytes, and markers without a length.
            if marker == 0xFF || marker == 0x01 || (0xD0...0xD8).contains(marker) {
                position += marker == 0xFF ? 1 : 2
                continue
            }
            let length = bigEndian16(bytes, at: position + 2)
            guard length >= 2, length <= bytes.count - position - 2 else { throw Self.damaged("it is cut off") }
            let content = bytes[position + 4..<position + 2 + length]
            switch marker {
            case 0xC0...0xCF where marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
                frame = Array(content)
                kind = marker
            case 0xE1:
                if content.starts(with: "Exif\0\0".utf8), exif == nil { exif = Exif(Array(content)) }
                let name = "http://ns.adobe.com/xap/1.0/\0".utf8
                if content.starts(with: name), xmp == nil {
                    xmp = String(decoding: content.dropFirst(name.count), as: UTF8.self)
                }
            case 0xDA, 0xD9: throw Self.damaged("the picture starts before its header")
            default: break
            }
            position += 2 + length
        }
        guard let frame, frame.count >= 6 else { throw Self.damaged("it is cut off within its header") }
        // Baseline, extended, progressive; the others are lossless, hierarchical or arithmetically coded.
        guard (0xC0...0xC2).contains(kind), frame[0] == 8 else {
            throw ImageError(
                .unsupportedFormat,
                "a JPEG file of process \(kind & 15) with \(frame[0]) bits per sample cannot be read; convert it to PNG"
            )
        }
        height = bigEndian16(frame, at: 1)
        width = bigEndian16(frame, at: 3)
        components = Int(frame[5])
        guard width > 0, height > 0 else { throw Self.damaged("its header gives the size \(width)×\(height)") }
        guard [1, 3, 4].contains(components) else {
            throw ImageError(
                .unsupportedFormat, "a JPEG file with \(components) colour components cannot be read; convert it to PNG"
            )
        }
        guard width * height <= limits.pixels else {
            throw ImageError(
                .tooLarge, "the picture has \(width)×\(height) pixels, the limit is \(limits.pixels) pixels")
        }
        // Every block of 8×8 pixels takes at least one bit.
        guard width * height / 512 <= bytes.count else {
            throw Self.damaged("\(bytes.count) bytes cannot hold \(width)×\(height) pixels")
        }
        self.bytes = bytes
        self.exif = exif
        self.xmp = xmp
    }

    /// From EXIF, else from XMP.
    var orientation: Orientation { exif?.orientation ?? xmp.flatMap(Orientation.init(xmp:)) ?? .upright }

    private static func damaged(_ reason: String) -> ImageError {
        ImageError(.damaged, "the JPEG file is damaged: \(reason)")
    }

    /// The picture as libjpeg decodes it, before its orientation is applied.
    func raster() throws -> Raster {
        var message = [CChar](repeating: 0, count: 256)
        var status = CInt(CI_OK)
        let components = components
        let samples = try unsafe Tensor.buildBytes([height, width, components], dtype: .uint8) { out in
            status = unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe ci_jpeg_decode(
                    buffer.baseAddress, buffer.count, UInt32(width), UInt32(height), CInt(components),
                    out.baseAddress?.assumingMemoryBound(to: UInt8.self), &message, message.count)
            }
        }
        if status == CInt(CI_OUT_OF_MEMORY) {
            throw ImageError(.outOfMemory, "out of memory while decoding a JPEG file")
        }
        guard status == CInt(CI_OK) else {
            throw Self.damaged(
                String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        let pixels = try samples.withElements(of: UInt8.self) { source in
            try ByteImage(width: width, height: height, channels: 4) { out in
                for i in 0..<width * height {
                    for channel in 0..<3 {
                        let at = i * components
                        out[4 * i + channel] =
                            switch components {
                            case 1: source[at]
                            case 3: source[at + channel]
                            // Stored inverted, as Adobe's programs do it and Pillow assumes.
                            default: inkToLight(source[at + channel], black: source[at + 3])
                            }
                    }
                    out[4 * i + 3] = 255
                }
            }
        }
        return Raster(pixels: pixels, alpha: .none)
    }
}

/// The light that an inverted ink leaves, given the inverted black, as Pillow converts CMYK.
private func inkToLight(_ ink: UInt8, black: UInt8) -> UInt8 {
    UInt8(max(Int(black) - Int(roundedDivision255((255 - Int(ink)) * Int(black))), 0))
}
