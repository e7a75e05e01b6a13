/// Formats of picture files, told apart by their first bytes (never by the file's name).
public enum ImageFormat: String, Sendable, Hashable, CaseIterable {
    case png = "PNG"
    case jpeg = "JPEG"
    case webp = "WebP"
    case gif = "GIF"
    case bmp = "BMP"
    case avif = "AVIF"
    case heic = "HEIC"
    case tiff = "TIFF"
    case jpegXL = "JPEG XL"
    case psd = "Photoshop"
    case svg = "SVG"

    /// The format of a file that starts with `bytes`; 32 bytes are enough.
    public static func detect(_ bytes: some Collection<UInt8>) -> ImageFormat? {
        let head = Array(bytes.prefix(64))
        func starts(_ text: String, at offset: Int = 0) -> Bool {
            head.dropFirst(offset).starts(with: text.utf8)
        }
        if head.starts(with: pngSignature) { return .png }
        if head.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if starts("RIFF"), starts("WEBP", at: 8) { return .webp }
        if starts("GIF87a") || starts("GIF89a") { return .gif }
        if head.starts(with: [0x49, 0x49, 0x2A, 0x00]) || head.starts(with: [0x4D, 0x4D, 0x00, 0x2A]) { return .tiff }
        if starts("ftyp", at: 4) {
            if starts("avif", at: 8) || starts("avis", at: 8) { return .avif }
            if ["heic", "heix", "heim", "hevc", "mif1", "msf1"].contains(where: { starts($0, at: 8) }) { return .heic }
        }
        if head.starts(with: [0xFF, 0x0A]) || head.starts(with: [0x00, 0x00, 0x00, 0x0C, 0x4A, 0x58, 0x4C, 0x20]) {
            return .jpegXL
        }
        if starts("8BPS") { return .psd }
        if starts("<svg") { return .svg }
        // Two letters alone would be found in many texts: the reserved fields and the header size must fit too.
        if starts("BM"), head.count >= 18, head[6..<10].allSatisfy({ $0 == 0 }),
            [12, 16, 40, 52, 56, 64, 108, 124].contains(Int(head[14])), head[15..<18].allSatisfy({ $0 == 0 })
        {
            return .bmp
        }
        return nil
    }

    static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
}
