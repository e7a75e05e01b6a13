import HTTPTypes
import Images
import JSON

/// The mask editor's upload: its alpha is put onto the original picture, whose texts are kept (server-api.md §5.2).
struct MaskUpload: Sendable {
    private let original: OpenedFile

    /// Finds the original that the field `original_ref` names.
    ///
    /// - Throws: ``HTTPFailure`` 400 or 404.
    init(_ reference: String?, _ service: FileService) throws {
        guard let reference, let json = try? JSON(parsing: reference), let name = json["filename"]?.stringValue,
            !name.isEmpty
        else {
            throw HTTPFailure(
                .badRequest, "original_ref has to be JSON that names a picture: {filename, subfolder, type}")
        }
        let type = json["type"]?.stringValue ?? "output"
        guard let place = FileService.Place(rawValue: type) else {
            throw HTTPFailure(.badRequest, "original_ref: type is \(quoted(type)), expected input, temp or output")
        }
        do throws(FolderFault) {
            let folder = try ConfinedName(json["subfolder"]?.stringValue ?? "")
            original = try service.folder(place).open(folder.appending(ConfinedName(name)))
        } catch {
            let isMissing = error.code == .missing || error.code == .wrongKind
            throw HTTPFailure(isMissing ? .notFound : .badRequest, "original_ref: \(error.message)")
        }
    }

    /// The picture to save, as PNG.
    func combined(with mask: UnfinishedFile) throws -> [UInt8] {
        let limits = PictureLimits.server
        do {
            let alpha = try ImageFile(
                mask.opened().readAll(limit: limits.fileBytes), name: "the mask", limits: limits
            ).byteImage().image
            let file = try ImageFile(
                original.readAll(limit: limits.fileBytes), name: "the original", limits: limits)
            let picture = try file.byteImage().image.replacingAlpha(with: alpha)
            // Only PNG's own texts: those of other formats were never text chunks.
            let texts = file.format == .png ? try file.texts() : []
            return try PNGWriter.encode(picture, texts: texts.filter { Self.isWritable($0) })
        } catch let error as ImageError {
            throw HTTPFailure(error.code == .tooLarge ? .contentTooLarge : .badRequest, error.message)
        }
    }

    /// Keywords that a foreign file may have, but ours may not, are left out.
    private static func isWritable(_ text: ImageText) -> Bool {
        let keyword = Array(text.keyword.utf8)
        return (1...79).contains(keyword.count) && keyword.allSatisfy { (0x20...0x7E).contains($0) }
            && keyword.first != 0x20 && keyword.last != 0x20 && !text.text.utf8.contains(0)
    }
}

/// What pictures from outside may claim: several are decoded at a time, so less than a single run allows.
enum PictureLimits {
    static let server = ImageLimits(
        pixels: 1 << 26, animationPixels: 1 << 26, fileBytes: 1 << 28, textBytes: 1 << 25)
}
