/// How a stored picture must be turned to stand upright: EXIF tag 0x0112.
enum Orientation: Int {
    case upright = 1
    case mirrored = 2
    case upsideDown = 3
    case flipped = 4
    case transposed = 5
    /// Turned a quarter clockwise for display.
    case right = 6
    case transverse = 7
    /// Turned a quarter anticlockwise for display.
    case left = 8

    private var swapsSides: Bool { rawValue >= 5 }

    /// The upright picture.
    func applied(to image: ByteImage) throws -> ByteImage {
        if self == .upright { return image }
        let (width, height, channels) = (image.width, image.height, image.channels)
        let (newWidth, newHeight) = swapsSides ? (height, width) : (width, height)
        return try image.withSamples { source in
            try ByteImage(width: newWidth, height: newHeight, channels: channels) { out in
                for y in 0..<newHeight {
                    for x in 0..<newWidth {
                        let (column, row) =
                            switch self {
                            case .upright: (x, y)
                            case .mirrored: (width - 1 - x, y)
                            case .upsideDown: (width - 1 - x, height - 1 - y)
                            case .flipped: (x, height - 1 - y)
                            case .transposed: (y, x)
                            case .right: (y, height - 1 - x)
                            case .transverse: (width - 1 - y, height - 1 - x)
                            case .left: (width - 1 - y, x)
                            }
                        let from = (row * width + column) * channels
                        let to = (y * newWidth + x) * channels
                        for channel in 0..<channels { out[to + channel] = source[from + channel] }
                    }
                }
            }
        }
    }
}

extension Orientation {
    /// The first tiff:Orientation in an XMP packet.
    init?(xmp packet: String) {
        for opening in ["tiff:Orientation=\"", "tiff:Orientation>"] {
            if let tag = packet.firstRange(of: opening), let digit = packet[tag.upperBound...].first?.wholeNumberValue {
                self.init(rawValue: digit)
                return
            }
        }
        return nil
    }
}
