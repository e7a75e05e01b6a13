import HTTPTypes
import Images

/// How `/view` is asked to change a picture (server-api.md §5.3).
enum PictureChange: Sendable, Equatable {
    /// The file as it is.
    case none
    /// Made smaller in bytes, not in size.
    case preview(PreviewFormat, quality: Int)
    /// PNG without alpha.
    case colours
    /// PNG, black with the picture's alpha.
    case alpha

    enum PreviewFormat: Sendable { case webp, jpeg }

    init(preview: String?, channel: String?) {
        if let preview {
            let parts = preview.split(separator: ";", omittingEmptySubsequences: false)
            // Digits only; whatever else stands there means the default.
            let quality = parts.count > 1 ? parts.last.flatMap { Int($0) } : nil
            let isJPEG = parts[0] == "jpeg" && channel?.contains("a") != true
            self = .preview(isJPEG ? .jpeg : .webp, quality: min(max(quality ?? 90, 1), 100))
            return
        }
        switch channel {
        case "rgb": self = .colours
        case "a": self = .alpha
        default: self = .none
        }
    }
}

/// A picture made for an answer.
struct MadePicture: Sendable {
    var bytes: [UInt8]
    var contentType: String

    /// `nil` for ``PictureChange/none``, and for formats that browsers know, but are not read here (GIF, AVIF): the file
    /// itself is sent then.
    ///
    /// - Throws: ``HTTPFailure`` 415 for damaged pictures and what is none.
    init?(_ file: OpenedFile, _ change: PictureChange, isWithoutAlpha: Bool, name: String) throws {
        if change == .none { return nil }
        let limits = PictureLimits.server
        do {
            let bytes = try file.readAll(limit: limits.fileBytes)
            if let format = ImageFormat.detect(bytes), ![.png, .jpeg, .webp].contains(format) { return nil }
            let picture = try ImageFile(bytes, name: name, limits: limits).byteImage()
            let image = picture.image
            switch change {
            case .none: return nil
            case .colours: (self.bytes, contentType) = (try PNGWriter.encode(image.withoutAlpha()), "image/png")
            case .alpha: (self.bytes, contentType) = (try PNGWriter.encode(image.onlyAlpha()), "image/png")
            case .preview(.jpeg, let quality):
                (self.bytes, contentType) = (try JPEGWriter.encode(image, quality: quality), "image/jpeg")
            case .preview(.webp, let quality):
                let kept = isWithoutAlpha || !picture.hasAlpha ? try image.withoutAlpha() : image
                (self.bytes, contentType) = (try WebPWriter.encode(kept, quality: quality), "image/webp")
            }
        } catch let error as ImageError {
            switch error.code {
            case .tooLarge: throw HTTPFailure(.contentTooLarge, error.message)
            case .outOfMemory: throw HTTPFailure(.serviceUnavailable, error.message)
            default: throw HTTPFailure(.unsupportedMediaType, error.message)
            }
        }
    }
}
