extension PNGFile {
    /// The EXIF orientation: from the eXIf chunk, else from a "Raw profile type exif" text (ImageMagick), else from XMP.
    ///
    /// Damaged metadata count as none, since the picture itself can still be read.
    func orientation(limits: ImageLimits) -> Orientation {
        let exif = firstIntact(ChunkName.exif)
        if let found = exif.flatMap(Exif.init)?.orientation { return found }
        guard let texts = try? text(limits: limits) else { return .upright }
        if exif == nil, let profile = texts["Raw profile type exif"],
            let found = Exif(Self.rawProfile(profile))?.orientation
        {
            return found
        }
        return texts["XML:com.adobe.xmp"].flatMap(Orientation.init(xmp:)) ?? .upright
    }

    /// The bytes of a profile as ImageMagick stores it: an empty line, the name, the length, then hexadecimal digits.
    private static func rawProfile(_ text: String) -> [UInt8] {
        let digits = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(3).joined()
            .compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
