public import Tensors

/// A picture file: its pixels as the loading nodes give them, and the texts in it.
public struct ImageFile: Sendable {
    /// What the nodes LoadImage and its relatives give.
    public struct Picture: Sendable {
        /// float32 `[frames, height, width, 3]`, 0…1.
        public var image: Tensor
        /// 1 − alpha, float32 `[frames, height, width]`; zeros `[frames, 64, 64]` for a picture without alpha.
        public var mask: Tensor
    }

    /// A channel as LoadImageMask and ImageToMask name them.
    public enum Channel: String, Sendable, Hashable, CaseIterable {
        case alpha, red, green, blue

        var index: Int {
            switch self {
            case .red: 0
            case .green: 1
            case .blue: 2
            case .alpha: 3
            }
        }
    }

    public let format: ImageFormat
    private let name: String
    private let bytes: [UInt8]
    private let limits: ImageLimits

    /// Reads the file; nothing is decoded yet.
    ///
    /// - Throws: ``ImageError/Code/unreadableFile``, ``ImageError/Code/tooLarge``,
    ///   ``ImageError/Code/unsupportedFormat``.
    public init(path: String, limits: ImageLimits = ImageLimits()) throws(ImageError) {
        try self.init(readFile(path, limit: limits.fileBytes), name: path, limits: limits)
    }

    /// A file in memory; `name` is for messages.
    ///
    /// - Throws: ``ImageError/Code/unsupportedFormat`` when the bytes are no picture or of a format not read here.
    public init(
        _ bytes: [UInt8], name: String = "the picture", limits: ImageLimits = ImageLimits()
    ) throws(ImageError) {
        guard let format = ImageFormat.detect(bytes) else {
            throw ImageError(
                .unsupportedFormat,
                bytes.isEmpty
                    ? "\(name) is empty; a PNG, JPEG or WebP picture was expected"
                    : "\(name) is not a picture in a known format; PNG, JPEG or WebP was expected")
        }
        guard [.png, .jpeg, .webp].contains(format) else {
            throw ImageError(
                .unsupportedFormat,
                "\(name) is a \(format.rawValue) file, which cannot be read; convert it to PNG, for example with "
                    + "ImageMagick: magick INPUT OUTPUT.png")
        }
        self.format = format
        self.name = name
        self.bytes = bytes
        self.limits = limits
    }

    /// All frames, turned upright by their EXIF orientation, as RGB and mask (`families-unet-sampling.md` §19).
    ///
    /// 16-bit colours keep their high byte, but 16-bit grey is clipped at 255, as in the reference.
    ///
    /// - Throws: ``ImageError``.
    public func picture() throws(ImageError) -> Picture {
        try naming { () throws(ImageError) in
            try imageErrors {
                let rasters = try rasters()
                return Picture(
                    image: try HostMath.concatenate(try rasters.map { try $0.image() }, axis: 0),
                    mask: try HostMath.concatenate(try rasters.map { try $0.mask() }, axis: 0))
            }
        }
    }

    /// One channel of the first frame converted to RGBA, float32 `[1, height, width]`; alpha inverted.
    ///
    /// - Throws: ``ImageError``.
    public func mask(_ channel: Channel) throws(ImageError) -> Tensor {
        try naming { () throws(ImageError) in
            try imageErrors {
                let pixels = try rasters(onlyFirst: true)[0].pixels
                let values = try pixels.floatMask(channel: channel.index)
                return channel == .alpha ? try HostMath.map(values) { 1 - $0 } : values
            }
        }
    }

    /// The texts in the file, in its order, found without decoding pixels.
    ///
    /// JPEG and WebP files hold them in EXIF tags as "prompt:{…}" (`ui-format.md` §1).
    ///
    /// - Throws: ``ImageError``.
    public func texts() throws(ImageError) -> [ImageText] {
        try naming { () throws(ImageError) in
            switch format {
            case .jpeg: try JPEGFile(bytes, limits: limits).exif?.namedTexts ?? []
            case .webp: try WebPFile(bytes, limits: limits).exif?.namedTexts ?? []
            default: try PNGFile(bytes, limits: limits).text(limits: limits)
            }
        }
    }

    /// Width and height of a stored frame, before its EXIF orientation is applied.
    ///
    /// - Throws: ``ImageError``.
    public func storedSize() throws(ImageError) -> (width: Int, height: Int) {
        try naming { () throws(ImageError) in
            switch format {
            case .jpeg:
                let file = try JPEGFile(bytes, limits: limits)
                return (file.width, file.height)
            case .webp:
                let file = try WebPFile(bytes, limits: limits)
                return (file.width, file.height)
            default:
                let header = try PNGFile(bytes, limits: limits).header
                return (header.width, header.height)
            }
        }
    }

    /// At least one.
    func rasters(onlyFirst: Bool = false) throws -> [Raster] {
        var rasters: [Raster]
        let orientation: Orientation
        switch format {
        case .jpeg:
            let file = try JPEGFile(bytes, limits: limits)
            rasters = [try file.raster()]
            orientation = file.orientation
        case .webp:
            let file = try WebPFile(bytes, limits: limits)
            rasters = try file.rasters(onlyFirst: onlyFirst, limits: limits)
            orientation = file.orientation
        default:
            let file = try PNGFile(bytes, limits: limits)
            if !onlyFirst, let animation = try PNGAnimation(file) {
                rasters = try animation.rasters(file, limits: limits)
            } else {
                rasters = [try PNGColours(file).raster(file.decodeSamples(), file.header)]
            }
            orientation = file.orientation(limits: limits)
        }
        for index in rasters.indices {
            rasters[index].pixels = try orientation.applied(to: rasters[index].pixels)
        }
        return rasters
    }

    /// Puts the file's name before messages.
    func naming<Result>(_ body: () throws(ImageError) -> Result) throws(ImageError) -> Result {
        do {
            return try body()
        } catch {
            throw ImageError(error.code, "\(name): \(error.message)")
        }
    }
}

extension Raster {
    /// float32 `[1, height, width, 3]`.
    fileprivate func image() throws -> Tensor {
        try pixels.withSamples { source in
            try Tensor.build([1, pixels.height, pixels.width, 3], of: Float.self) { out in
                for i in 0..<pixels.width * pixels.height {
                    for channel in 0..<3 { out[3 * i + channel] = Float(source[4 * i + channel]) / 255 }
                }
            }
        }
    }

    /// float32 `[1, height, width]`, 1 − alpha; 64×64 zeros without an alpha channel.
    fileprivate func mask() throws -> Tensor {
        guard alpha == .channel else { return try Tensor.zeros([1, 64, 64]) }
        return try HostMath.map(pixels.floatMask(channel: 3)) { 1 - $0 }
    }
}
