internal import CImages
internal import Tensors

/// A WebP file, still or animated (RFC 9649).
struct WebPFile {
    let bytes: [UInt8]
    let width: Int
    let height: Int
    let frames: Int
    let hasAlpha: Bool

    init(_ bytes: [UInt8], limits: ImageLimits) throws(ImageError) {
        var (width, height, frames): (UInt32, UInt32, UInt32) = (0, 0, 0)
        var hasAlpha: CInt = 0
        let status = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe ci_webp_info(buffer.baseAddress, buffer.count, &width, &height, &frames, &hasAlpha)
        }
        guard status == CInt(CI_OK), width > 0, height > 0, frames > 0 else {
            throw ImageError(.damaged, "the WebP file is damaged or cut off")
        }
        // Sides have at most 24 bits, so this cannot overflow.
        guard Int(width) * Int(height) <= limits.pixels else {
            throw ImageError(
                .tooLarge, "the picture has \(width)×\(height) pixels, the limit is \(limits.pixels) pixels")
        }
        self.bytes = bytes
        self.width = Int(width)
        self.height = Int(height)
        self.frames = Int(frames)
        self.hasAlpha = hasAlpha != 0
    }

    /// The EXIF block, if there is a readable one.
    var exif: Exif? { chunk("EXIF").flatMap { Exif(Array($0)) } }

    /// From EXIF, else from XMP.
    var orientation: Orientation {
        exif?.orientation ?? chunk("XMP ").flatMap { Orientation(xmp: String(decoding: $0, as: UTF8.self)) } ?? .upright
    }

    /// The data of the first chunk of that name.
    private func chunk(_ name: String) -> ArraySlice<UInt8>? {
        var position = 12
        while bytes.count - position >= 8 {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[position + 4 + $1]) << (8 * $1) }
            guard length <= bytes.count - position - 8 else { return nil }
            let data = bytes[position + 8..<position + 8 + length]
            if bytes[position..<position + 4].elementsEqual(name.utf8) { return data }
            // Chunks start at even positions.
            position += 8 + length + length % 2
        }
        return nil
    }

    /// The first frames as they are shown, before the orientation is applied.
    func rasters(onlyFirst: Bool, limits: ImageLimits) throws -> [Raster] {
        let count = onlyFirst ? 1 : frames
        guard count == 1 || width * height <= limits.animationPixels / count else {
            throw ImageError(
                .tooLarge,
                "the animation has \(count) frames of \(width)×\(height) pixels, the limit is "
                    + "\(limits.animationPixels) pixels in all; make it shorter or smaller")
        }
        var status = CInt(CI_OK)
        let samples = try unsafe Tensor.buildBytes([count, height, width, 4], dtype: .uint8) { out in
            status = unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe ci_webp_decode(
                    buffer.baseAddress, buffer.count, UInt32(width), UInt32(height), UInt32(count),
                    out.baseAddress?.assumingMemoryBound(to: UInt8.self))
            }
        }
        guard status == CInt(CI_OK) else { throw ImageError(.damaged, "the WebP file is damaged or cut off") }
        return try (0..<count).map { index in
            let frame = try samples.slice(axis: 0, index..<index + 1).reshaped([height, width, 4])
            let pixels = ByteImage(width: width, height: height, channels: 4, tensor: frame)
            return Raster(pixels: pixels, alpha: hasAlpha ? .channel : .none)
        }
    }
}
