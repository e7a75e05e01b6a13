internal import CImages
internal import Tensors

/// The frames of an animated PNG (PNG 3rd edition, §11.3.6).
struct PNGAnimation {
    /// One fcTL chunk and the data that follow it.
    struct Frame {
        var left = 0
        var top = 0
        var width: Int
        var height: Int
        var disposal = Disposal.none
        var blendsOver = false
        /// Where the compressed data lie in the file.
        var data: [Range<Int>] = []
    }

    enum Disposal: Int {
        case none = 0
        case background = 1
        case previous = 2
    }

    let frames: [Frame]

    /// `nil` for a file with one picture.
    ///
    /// A main picture that is not part of the animation comes first, as in Pillow. Frames that are announced but
    /// missing are left out.
    ///
    /// - Throws: ``ImageError/Code/damaged`` for frames outside the picture or numbers out of sequence.
    init?(_ file: PNGFile) throws(ImageError) {
        let bytes = file.bytes
        let firstPixels = file.chunks.firstIndex { $0.name == PNGFile.ChunkName.pixels } ?? file.chunks.count
        guard let control = file.chunks[..<firstPixels].first(where: { $0.name == PNGFile.ChunkName.animation }),
            PNGFile.isIntact(control, of: bytes), control.data.count >= 8
        else { return nil }
        var expected = bigEndian32(bytes, at: control.data.lowerBound)
        var frames: [Frame] = []
        var sequence = 0
        for chunk in file.chunks {
            switch chunk.name {
            case PNGFile.ChunkName.frameControl:
                try PNGFile.check(chunk, of: bytes)
                frames.append(try Self.frame(Array(bytes[chunk.data]), file.header, &sequence))
            case PNGFile.ChunkName.pixels:
                if frames.isEmpty {
                    frames.append(Frame(width: file.header.width, height: file.header.height))
                    expected += 1
                }
                frames[frames.count - 1].data.append(chunk.data)
            case PNGFile.ChunkName.framePixels:
                guard chunk.data.count >= 4, !frames.isEmpty,
                    bigEndian32(bytes, at: chunk.data.lowerBound) == sequence
                else { throw Self.outOfSequence }
                sequence += 1
                frames[frames.count - 1].data.append(chunk.data.dropFirst(4))
            default: break
            }
        }
        self.frames = Array(frames.prefix(expected).prefix { !$0.data.isEmpty })
        if self.frames.count < 2 { return nil }
    }

    private static let outOfSequence = ImageError(
        .damaged, "the animated PNG file is damaged: its frames are not numbered in sequence")

    private static func frame(
        _ data: [UInt8], _ header: PNGHeader, _ sequence: inout Int
    ) throws(ImageError) -> Frame {
        guard data.count >= 26, bigEndian32(data, at: 0) == sequence else { throw outOfSequence }
        sequence += 1
        var frame = Frame(width: bigEndian32(data, at: 4), height: bigEndian32(data, at: 8))
        frame.left = bigEndian32(data, at: 12)
        frame.top = bigEndian32(data, at: 16)
        guard frame.width > 0, frame.height > 0, frame.left + frame.width <= header.width,
            frame.top + frame.height <= header.height
        else {
            throw ImageError(
                .damaged,
                "the animated PNG file is damaged: a frame of \(frame.width)×\(frame.height) at "
                    + "\(frame.left), \(frame.top) in a picture of \(header.width)×\(header.height)")
        }
        frame.disposal = Disposal(rawValue: Int(data[24])) ?? .none
        frame.blendsOver = data[25] == 1
        return frame
    }

    /// Every frame as it is shown: what the frames before left behind, and the frame on top.
    ///
    /// As in Pillow, "over" mixes all four channels by the frame's alpha.
    func rasters(_ file: PNGFile, limits: ImageLimits) throws -> [Raster] {
        let header = file.header
        guard header.width * header.height <= limits.animationPixels / frames.count else {
            throw ImageError(
                .tooLarge,
                "the animation has \(frames.count) frames of \(header.width)×\(header.height) pixels, the limit is "
                    + "\(limits.animationPixels) pixels in all; make it shorter or smaller")
        }
        let colours = try PNGColours(file)
        let hasAlpha = colours.alpha == .channel
        // What Pillow fills with is a sample of 0: black, transparent where there is alpha, or the first palette entry.
        let background =
            header.colourType == .palette ? Array(colours.palette[..<4]) : [0, 0, 0, hasAlpha ? 0 : 255]
        var canvas = try ByteImage(width: header.width, height: header.height, channels: 4) { out in
            for i in 0..<out.count { out[i] = background[i % 4] }
        }
        var rasters: [Raster] = []
        for (index, frame) in frames.enumerated() {
            let image = try decode(frame, file, colours)
            let before = canvas
            // A grey file's transparent value takes no part in mixing, as in Pillow.
            let blends = index > 0 && frame.blendsOver && header.colourType != .grey
            canvas = try before.replacing(frame, with: image, blending: blends, keepsAlpha: hasAlpha)
            rasters.append(try colours.keyed(canvas))
            switch frame.disposal {
            case .none: break
            case .previous where index > 0:
                // Pillow keeps a frame that was mixed in: its copy of the state before is the one it mixed into.
                if !frame.blendsOver { canvas = try canvas.replacing(frame, from: before) }
            case .previous, .background: canvas = try canvas.filling(frame, with: background)
            }
        }
        return rasters
    }

    /// The frame's own pixels, RGBA.
    private func decode(_ frame: Frame, _ file: PNGFile, _ colours: PNGColours) throws -> ByteImage {
        var header = file.header
        header.width = frame.width
        header.height = frame.height
        try PNGFile.checkPlausible(header, compressedBytes: frame.data.reduce(0) { $0 + $1.count })
        var stream = ImageFormat.pngSignature
        var fields = Array(file.bytes[16..<29])
        fields.replaceSubrange(0..<8, with: bigEndianBytes(frame.width) + bigEndianBytes(frame.height))
        appendChunk(&stream, PNGFile.ChunkName.header, fields[...])
        if let palette = file.firstIntact(PNGFile.ChunkName.palette) {
            appendChunk(&stream, PNGFile.ChunkName.palette, palette[...])
        }
        for range in frame.data { appendChunk(&stream, PNGFile.ChunkName.pixels, file.bytes[range]) }
        return try colours.raster(PNGFile.decode(stream, header), header).pixels
    }
}

extension ByteImage {
    /// The picture with `frame`'s rectangle replaced by `image`, or mixed with it by its alpha.
    fileprivate func replacing(
        _ frame: PNGAnimation.Frame, with image: ByteImage, blending: Bool, keepsAlpha: Bool
    ) throws -> ByteImage {
        try copy { out in
            try image.withSamples { source in
                for y in 0..<frame.height {
                    for x in 0..<frame.width {
                        let from = (y * frame.width + x) * 4
                        let to = ((y + frame.top) * width + x + frame.left) * 4
                        let alpha = blending ? Int(source[from + 3]) : 255
                        for channel in 0..<(keepsAlpha ? 4 : 3) {
                            let mixed = Int(out[to + channel]) * (255 - alpha) + Int(source[from + channel]) * alpha
                            out[to + channel] = roundedDivision255(mixed)
                        }
                    }
                }
            }
        }
    }

    fileprivate func replacing(_ frame: PNGAnimation.Frame, from other: ByteImage) throws -> ByteImage {
        try copy { out in
            try other.withSamples { source in
                for y in frame.top..<frame.top + frame.height {
                    for i in (y * width + frame.left) * 4..<(y * width + frame.left + frame.width) * 4 {
                        out[i] = source[i]
                    }
                }
            }
        }
    }

    fileprivate func filling(_ frame: PNGAnimation.Frame, with colour: [UInt8]) throws -> ByteImage {
        try copy { out in
            for y in frame.top..<frame.top + frame.height {
                for i in (y * width + frame.left) * 4..<(y * width + frame.left + frame.width) * 4 {
                    out[i] = colour[i % 4]
                }
            }
        }
    }

    /// A copy changed by `body`.
    private func copy(_ body: (inout MutableSpan<UInt8>) throws -> Void) throws -> ByteImage {
        try withSamples { source in
            try ByteImage(width: width, height: height, channels: channels) { out in
                for i in 0..<source.count { out[i] = source[i] }
                try body(&out)
            }
        }
    }
}

extension PNGColours {
    /// A canvas as a frame: the transparent colour, if there is one, is looked for in the finished picture.
    fileprivate func keyed(_ canvas: ByteImage) throws -> Raster {
        guard let key else { return Raster(pixels: canvas, alpha: alpha) }
        let pixels = try canvas.withSamples { source in
            try ByteImage(width: canvas.width, height: canvas.height, channels: 4) { out in
                for i in 0..<source.count { out[i] = source[i] }
                for i in 0..<source.count / 4 {
                    let isKey = (0..<3).allSatisfy { out[4 * i + $0] == key[$0 % key.count] }
                    out[4 * i + 3] = isKey ? 0 : 255
                }
            }
        }
        return Raster(pixels: pixels, alpha: alpha)
    }
}

func bigEndianBytes(_ number: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
}

/// Appends a chunk with its length and check sum.
func appendChunk(_ stream: inout [UInt8], _ name: UInt32, _ data: ArraySlice<UInt8>) {
    stream += bigEndianBytes(data.count)
    let covered = stream.count
    stream += bigEndianBytes(Int(name))
    stream += data
    let sum = unsafe stream.withUnsafeBufferPointer { buffer in
        unsafe ci_crc32(buffer.baseAddress.map { unsafe $0 + covered }, buffer.count - covered)
    }
    stream += bigEndianBytes(Int(sum))
}
