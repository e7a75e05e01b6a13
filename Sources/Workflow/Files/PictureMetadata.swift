import Images

/// The workflow texts in a picture.
struct PictureMetadata {
    /// "PNG", "JPEG" or "WebP".
    var format: String
    var prompt: String?
    var workflow: String?

    /// Reads the metadata of a PNG, JPEG or WebP file; `nil` for contents that are no picture.
    ///
    /// - Throws: ``WorkflowError`` for damaged pictures, and for kinds of picture that hold no workflow.
    init?(_ bytes: [UInt8]) throws(WorkflowError) {
        guard let kind = ImageFormat.detect(bytes) else { return nil }
        format = kind.rawValue
        switch kind {
        case .png, .jpeg:
            let texts: [ImageText]
            do throws(ImageError) {
                texts = try ImageFile(bytes).texts()
            } catch {
                throw WorkflowError(.noWorkflow, error.message, advice: "give an undamaged copy of the picture")
            }
            prompt = texts["prompt"]
            workflow = texts["workflow"]
        case .webp:
            for text in EXIFTexts.read(webP: bytes) {
                if text.hasPrefix("prompt:") { prompt = String(text.dropFirst("prompt:".count)) }
                if text.hasPrefix("workflow:") { workflow = String(text.dropFirst("workflow:".count)) }
            }
        default:
            throw WorkflowError(
                .noWorkflow, "this is a \(format) picture",
                advice: "workflows are read from JSON, and from PNG, WebP and JPEG pictures saved with one")
        }
    }
}

/// The texts in the EXIF block of a WebP file, where the reference puts "prompt:{…}" and "workflow:{…}" under the
/// camera's make, model and other tags.
enum EXIFTexts {
    static func read(webP bytes: [UInt8]) -> [String] {
        var position = 12
        while position + 8 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[position + 4 + $1]) << (8 * $1) }
            let start = position + 8
            guard length <= bytes.count - start else { return [] }
            if bytes[position..<position + 4].elementsEqual("EXIF".utf8) {
                var block = bytes[start..<start + length]
                if block.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) { block = block.dropFirst(6) }
                return texts(Array(block))
            }
            position = start + length + length % 2
        }
        return []
    }

    /// The ASCII entries of the first directory of a TIFF block.
    private static func texts(_ block: [UInt8]) -> [String] {
        let isLittle = block.starts(with: [0x49, 0x49])
        guard isLittle || block.starts(with: [0x4D, 0x4D]) else { return [] }
        func number(_ position: Int, _ count: Int) -> Int? {
            guard position >= 0, position <= block.count - count else { return nil }
            let bytes = block[position..<position + count]
            return isLittle
                ? bytes.reversed().reduce(0) { $0 << 8 | Int($1) } : bytes.reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = number(4, 4), let count = number(directory, 2) else { return [] }
        var result: [String] = []
        for index in 0..<count {
            let entry = directory + 2 + 12 * index
            guard let type = number(entry + 2, 2), let length = number(entry + 4, 4) else { break }
            // 2 is ASCII, 7 undefined bytes; up to four bytes stand in the entry itself, too few for a workflow.
            guard type == 2 || type == 7, length > 4, let start = number(entry + 8, 4), start <= block.count,
                length <= block.count - start
            else { continue }
            result.append(String(decoding: block[start..<start + length].prefix { $0 != 0 }, as: UTF8.self))
        }
        return result
    }
}
