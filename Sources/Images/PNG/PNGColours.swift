internal import Tensors

/// What PLTE and tRNS say about the colours of a PNG file.
struct PNGColours {
    /// RGBA of the 256 palette entries; those the file does not define are opaque black.
    private(set) var palette: [UInt8] = []
    /// The transparent colour as it is compared after conversion to 8 bits.
    ///
    /// Pillow compares the low byte of the declared value with the converted sample, also where the two have another
    /// scale (16-bit files, grey with 2 or 4 bits); this is what the reference's masks show, so it is done here too.
    private(set) var key: [UInt8]?
    private(set) var alpha: Raster.Alpha

    init(_ file: PNGFile) throws(ImageError) {
        let transparency = file.firstIntact(PNGFile.ChunkName.transparency)
        switch file.header.colourType {
        case .palette:
            guard let colours = file.firstIntact(PNGFile.ChunkName.palette), colours.count >= 3 else {
                throw ImageError(
                    .damaged, "the PNG file is damaged: a picture with a palette, but no usable palette chunk")
            }
            palette = [UInt8](repeating: 0, count: 256 * 4)
            for entry in 0..<256 {
                for channel in 0..<3 where entry * 3 + 2 < colours.count {
                    palette[entry * 4 + channel] = colours[entry * 3 + channel]
                }
                palette[entry * 4 + 3] = transparency.flatMap { entry < $0.count ? $0[entry] : nil } ?? 255
            }
            alpha = transparency == nil ? .none : .channel
        case .grey:
            guard let transparency, transparency.count >= 2 else {
                alpha = .none
                return
            }
            let value = bigEndian16(transparency, at: 0)
            key = [file.header.bitDepth == 1 ? (value == 0 ? 0 : 255) : UInt8(value & 255)]
            alpha = .colourKey
        case .rgb:
            guard let transparency, transparency.count >= 6 else {
                alpha = .none
                return
            }
            key = [transparency[1], transparency[3], transparency[5]]
            alpha = .colourKey
        case .greyAlpha, .rgba:
            alpha = .channel
        }
    }

    /// Decoded samples as RGBA.
    ///
    /// 16-bit colours keep their high byte; 16-bit grey without alpha is clipped at 255, as Pillow does it
    /// (`families-unet-sampling.md` §19).
    func raster(_ samples: Tensor, _ header: PNGHeader) throws -> Raster {
        let pixels = try samples.withElements(of: UInt8.self) { source in
            try ByteImage(width: header.width, height: header.height, channels: 4) { out in
                convert(source, header, &out)
            }
        }
        return Raster(pixels: pixels, alpha: alpha)
    }

    private func convert(_ source: Span<UInt8>, _ header: PNGHeader, _ out: inout MutableSpan<UInt8>) {
        let count = header.width * header.height
        // The distance between samples, of which the first byte is the high one.
        let step = header.bitDepth == 16 ? 2 : 1
        switch header.colourType {
        case .palette:
            let palette = palette.span
            for i in 0..<count {
                let entry = Int(source[i]) * 4
                for channel in 0..<4 { out[i * 4 + channel] = palette[entry + channel] }
            }
        case .grey:
            let key = key?.first
            for i in 0..<count {
                let value = step == 1 ? source[i] : source[2 * i] == 0 ? source[2 * i + 1] : 255
                set(&out, i, value, value, value, value == key ? 0 : 255)
            }
        case .greyAlpha:
            for i in 0..<count {
                let value = source[2 * step * i]
                set(&out, i, value, value, value, source[2 * step * i + step])
            }
        case .rgb:
            for i in 0..<count {
                let at = 3 * step * i
                set(&out, i, source[at], source[at + step], source[at + 2 * step], 255)
            }
            if let key {
                for i in 0..<count where out[4 * i] == key[0] && out[4 * i + 1] == key[1] && out[4 * i + 2] == key[2] {
                    out[4 * i + 3] = 0
                }
            }
        case .rgba:
            for i in 0..<count {
                let at = 4 * step * i
                set(&out, i, source[at], source[at + step], source[at + 2 * step], source[at + 3 * step])
            }
        }
    }

    @inline(__always)
    private func set(_ out: inout MutableSpan<UInt8>, _ i: Int, _ r: UInt8, _ g: UInt8, _ b: UInt8, _ a: UInt8) {
        out[4 * i] = r
        out[4 * i + 1] = g
        out[4 * i + 2] = b
        out[4 * i + 3] = a
    }
}
