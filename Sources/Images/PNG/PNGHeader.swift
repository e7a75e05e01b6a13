/// The IHDR chunk of a PNG file.
struct PNGHeader: Hashable {
    enum ColourType: Int {
        case grey = 0
        case rgb = 2
        case palette = 3
        case greyAlpha = 4
        case rgba = 6

        var samplesPerPixel: Int {
            switch self {
            case .grey, .palette: 1
            case .greyAlpha: 2
            case .rgb: 3
            case .rgba: 4
            }
        }
    }

    var width: Int
    var height: Int
    let bitDepth: Int
    let colourType: ColourType
    let isInterlaced: Bool

    /// Bytes of a row in the form the decoder returns: one byte per sample, two for 16 bits.
    var decodedRowBytes: Int { width * colourType.samplesPerPixel * (bitDepth == 16 ? 2 : 1) }

    /// The least number of bytes that the compressed data must expand to.
    var filteredBytes: Int { height * ((width * colourType.samplesPerPixel * bitDepth + 7) / 8) }

    init(_ bytes: ArraySlice<UInt8>, limits: ImageLimits) throws(ImageError) {
        guard bytes.count == 13 else {
            throw ImageError(.damaged, "the PNG header has \(bytes.count) bytes, it must have 13")
        }
        let fields = Array(bytes)
        width = bigEndian32(fields, at: 0)
        height = bigEndian32(fields, at: 4)
        bitDepth = Int(fields[8])
        isInterlaced = fields[12] == 1
        let largest = Int(Int32.max)
        guard width > 0, height > 0, width <= largest, height <= largest else {
            throw ImageError(.damaged, "the PNG header gives the size \(width)×\(height)")
        }
        // Both are below 2³¹, so this product cannot overflow; below 2³⁴ pixels, none of the later ones can.
        guard width * height <= min(limits.pixels, 1 << 34) else {
            throw ImageError(
                .tooLarge, "the picture has \(width)×\(height) pixels, the limit is \(limits.pixels) pixels")
        }
        guard let colourType = ColourType(rawValue: Int(fields[9])) else {
            throw ImageError(.damaged, "the PNG header gives the unknown colour type \(fields[9])")
        }
        self.colourType = colourType
        let depths: [Int] =
            switch colourType {
            case .grey: [1, 2, 4, 8, 16]
            case .palette: [1, 2, 4, 8]
            case .rgb, .greyAlpha, .rgba: [8, 16]
            }
        guard depths.contains(bitDepth) else {
            throw ImageError(
                .damaged, "the PNG header gives \(bitDepth) bits per sample for colour type \(fields[9])")
        }
        guard fields[10] == 0, fields[11] == 0, fields[12] <= 1 else {
            throw ImageError(
                .damaged,
                "the PNG header names compression \(fields[10]), filter \(fields[11]), interlacing \(fields[12]); "
                    + "known are 0, 0, and 0 or 1")
        }
    }
}

/// The four bytes from `offset` on as a number, most significant first.
func bigEndian32(_ bytes: [UInt8], at offset: Int) -> Int {
    Int(bytes[offset]) << 24 | Int(bytes[offset + 1]) << 16 | Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
}

/// The two bytes from `offset` on as a number, most significant first.
func bigEndian16(_ bytes: [UInt8], at offset: Int) -> Int { Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) }
