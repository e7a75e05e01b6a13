internal import CImages

/// A PNG file taken apart into its chunks; nothing is decompressed.
struct PNGFile {
    struct Chunk {
        /// One of ``PNGFile/ChunkName`` or another.
        let name: UInt32
        /// Where its data lie in the file; the name is in the four bytes before, the check sum in those after.
        let data: Range<Int>
    }

    /// The four letters of a chunk's name as a number.
    enum ChunkName {
        static let header: UInt32 = 0x4948_4452  // IHDR
        static let palette: UInt32 = 0x504C_5445  // PLTE
        static let transparency: UInt32 = 0x7452_4E53  // tRNS
        static let pixels: UInt32 = 0x4944_4154  // IDAT
        static let end: UInt32 = 0x4945_4E44  // IEND
        static let text: UInt32 = 0x7445_5874  // tEXt
        static let compressedText: UInt32 = 0x7A54_5874  // zTXt
        static let internationalText: UInt32 = 0x6954_5874  // iTXt
        static let exif: UInt32 = 0x6558_4966  // eXIf
        static let animation: UInt32 = 0x6163_544C  // acTL
        static let frameControl: UInt32 = 0x6663_544C  // fcTL
        static let framePixels: UInt32 = 0x6664_4154  // fdAT
        /// As tEXt, after the pixels: where ComfyUI keeps the workflow of an animation.
        static let comfyText: UInt32 = 0x636F_6D66  // comf
    }

    let bytes: [UInt8]
    let header: PNGHeader
    /// All chunks after the header up to IEND, or up to where the file breaks off.
    let chunks: [Chunk]
    /// Whether the file ends within a chunk or before IEND.
    let isCutOff: Bool

    private static let chunkLimit = 1 << 20

    /// Reads the chunk list. A file that breaks off later than in its header is not an error here: its text may be
    /// complete.
    init(_ bytes: [UInt8], limits: ImageLimits) throws(ImageError) {
        guard bytes.starts(with: ImageFormat.pngSignature) else {
            throw ImageError(.unsupportedFormat, "not a PNG file: the signature is missing")
        }
        var chunks: [Chunk] = []
        var position = 8
        var isCutOff = true
        while bytes.count - position >= 12 {
            let length = bigEndian32(bytes, at: position)
            guard length <= bytes.count - position - 12 else { break }
            let chunk = Chunk(
                name: UInt32(bigEndian32(bytes, at: position + 4)), data: position + 8..<position + 8 + length)
            position = chunk.data.upperBound + 4
            if chunk.name == ChunkName.end {
                isCutOff = false
                break
            }
            guard chunks.count < Self.chunkLimit else {
                throw ImageError(.tooLarge, "the PNG file has more than \(Self.chunkLimit) chunks")
            }
            chunks.append(chunk)
        }
        guard let first = chunks.first, first.name == ChunkName.header else {
            throw ImageError(
                .damaged,
                chunks.isEmpty
                    ? "the PNG file is cut off within its header (\(bytes.count) bytes)"
                    : "the PNG file does not start with its header chunk")
        }
        self.bytes = bytes
        self.isCutOff = isCutOff
        try Self.check(first, of: bytes)
        header = try PNGHeader(bytes[first.data], limits: limits)
        self.chunks = Array(chunks.dropFirst())
    }

    /// The data of the first chunk of that name whose check sum is right; `nil` if there is none.
    func firstIntact(_ name: UInt32) -> [UInt8]? {
        for chunk in chunks where chunk.name == name && Self.isIntact(chunk, of: bytes) {
            return Array(bytes[chunk.data])
        }
        return nil
    }

    static func isIntact(_ chunk: Chunk, of bytes: [UInt8]) -> Bool {
        let covered = chunk.data.lowerBound - 4..<chunk.data.upperBound
        let sum = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe ci_crc32(buffer.baseAddress.map { unsafe $0 + covered.lowerBound }, covered.count)
        }
        return Int(sum) == bigEndian32(bytes, at: chunk.data.upperBound)
    }

    /// - Throws: ``ImageError/Code/damaged`` when the chunk's check sum is wrong.
    static func check(_ chunk: Chunk, of bytes: [UInt8]) throws(ImageError) {
        guard isIntact(chunk, of: bytes) else {
            let letters = String(decoding: bytes[chunk.data.lowerBound - 4..<chunk.data.lowerBound], as: UTF8.self)
            throw ImageError(.damaged, "the PNG file is damaged: wrong check sum in its \(letters) chunk")
        }
    }
}
