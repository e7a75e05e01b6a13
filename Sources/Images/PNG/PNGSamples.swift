internal import CImages
internal import Tensors

extension PNGFile {
    /// The samples of the main picture as libpng returns them: `[height, decodedRowBytes]`.
    ///
    /// - Throws: ``ImageError/Code/damaged``. Nothing large is allocated before the file is known to hold enough data:
    ///   deflate expands by a factor of 1032 at most (zlib, Technical Details).
    func decodeSamples() throws -> Tensor {
        var compressed = 0
        for chunk in chunks where chunk.name == ChunkName.pixels { compressed += chunk.data.count }
        try Self.checkPlausible(header, compressedBytes: compressed)
        return try Self.decode(bytes, header)
    }

    static func checkPlausible(_ header: PNGHeader, compressedBytes: Int) throws(ImageError) {
        guard compressedBytes > 0 else { throw ImageError(.damaged, "the PNG file contains no pixel data") }
        guard header.filteredBytes / 1032 <= compressedBytes else {
            throw ImageError(
                .damaged,
                "the PNG file is cut off or lies about its size: \(compressedBytes) bytes of pixel data cannot hold "
                    + "\(header.width)×\(header.height) pixels")
        }
    }

    /// Decodes a whole datastream, which must have this header.
    static func decode(_ bytes: [UInt8], _ header: PNGHeader) throws -> Tensor {
        var message = [CChar](repeating: 0, count: 256)
        var status = CInt(CI_OK)
        let rowBytes = header.decodedRowBytes
        let samples = try unsafe Tensor.buildBytes([header.height, rowBytes], dtype: .uint8) { out in
            status = unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe ci_png_decode(
                    buffer.baseAddress, buffer.count, UInt32(header.width), UInt32(header.height),
                    CInt(header.bitDepth), CInt(header.colourType.rawValue),
                    out.baseAddress?.assumingMemoryBound(to: UInt8.self), rowBytes, &message, message.count)
            }
        }
        switch Int(status) {
        case Int(CI_OK): return samples
        case Int(CI_OUT_OF_MEMORY): throw ImageError(.outOfMemory, "out of memory while decoding a PNG file")
        default:
            let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw ImageError(.damaged, "the PNG file is damaged or cut off: \(text)")
        }
    }
}
