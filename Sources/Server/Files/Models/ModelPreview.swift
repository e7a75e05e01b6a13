import Images
import JSON

/// The picture that shows what a model does: beside its file, or in its header.
struct ModelPreview: Sendable {
    let folder: ConfinedFolder
    let name: ConfinedName

    private static let endings = [
        "preview.png", "preview.jpg", "preview.jpeg", "preview.webp", "png", "jpg", "jpeg", "webp",
    ]

    /// A WebP picture.
    ///
    /// - Throws: ``FolderFault``; `nil` when there is none.
    func picture() throws(FolderFault) -> [UInt8]? {
        var found = try beside()
        if found == nil { found = try inHeader() }
        guard let bytes = found else { return nil }
        // A picture that cannot be read is none.
        guard let picture = try? ImageFile(bytes, limits: PictureLimits.server).byteImage(),
            let image = picture.hasAlpha ? picture.image : try? picture.image.withoutAlpha()
        else { return nil }
        return try? WebPWriter.encode(image, quality: 90)
    }

    private func beside() throws(FolderFault) -> [UInt8]? {
        let last = name.last
        let stem = last.lastIndex(of: ".").map { last[..<$0] } ?? last[...]
        for ending in Self.endings {
            do throws(FolderFault) {
                return try folder.open(name.replacingLast("\(stem).\(ending)"))
                    .readAll(limit: PictureLimits.server.fileBytes)
            } catch {
                guard error.code == .missing || error.code == .wrongKind || error.code == .invalidName else {
                    throw error
                }
            }
        }
        return nil
    }

    /// `modelspec.thumbnail` (Stability AI's model metadata standard, a data URL) or `ssmd_cover_images` (a JSON list of
    /// base 64 texts, as LoRA managers write it).
    private func inHeader() throws(FolderFault) -> [UInt8]? {
        guard ContentType.ending(name.last) == "safetensors",
            let metadata = try SafetensorsMetadata.read(folder.open(name))
        else { return nil }
        if let thumbnail = metadata["modelspec.thumbnail"]?.stringValue, thumbnail.hasPrefix("data:image/"),
            let comma = thumbnail.firstIndex(of: ",")
        {
            return Base64.decode(thumbnail[thumbnail.index(after: comma)...])
        }
        guard let covers = metadata["ssmd_cover_images"]?.stringValue, let list = try? JSON(parsing: covers),
            let first = list[0]?.stringValue
        else { return nil }
        return Base64.decode(first)
    }
}
