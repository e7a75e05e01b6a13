/// The workflow texts in a picture.
struct PictureMetadata {
    /// "PNG" or "WebP".
    var format: String
    var prompt: String?
    var workflow: String?

    /// Reads the metadata of a PNG or WebP file; `nil` for contents that are no picture.
    ///
    /// - Throws: ``WorkflowError`` for kinds of picture that hold no workflow, and for compressed text.
    init?(_ bytes: [UInt8]) throws(WorkflowError) {
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            format = "PNG"
            for (keyword, text) in try PNGTextChunks.read(bytes) {
                switch keyword {
                case "prompt": prompt = text
                case "workflow": workflow = text
                default: break
                }
            }
        } else if bytes.starts(with: Array("RIFF".utf8)), bytes.dropFirst(8).starts(with: Array("WEBP".utf8)) {
            format = "WebP"
            for text in EXIFTexts.read(webP: bytes) {
                if text.hasPrefix("prompt:") { prompt = String(text.dropFirst("prompt:".count)) }
                if text.hasPrefix("workflow:") { workflow = String(text.dropFirst("workflow:".count)) }
            }
        } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            throw WorkflowError(
                .noWorkflow, "this is a JPEG picture", advice: "workflows are read from JSON, PNG and WebP files")
        } else {
            return nil
        }
    }
}

/// The text chunks of a PNG file (PNG specification, 11.3.3).
enum PNGTextChunks {
    static func read(_ bytes: [UInt8]) throws(WorkflowError) -> [(keyword: String, text: String)] {
        var result: [(keyword: String, text: String)] = []
        var position = 8
        while position + 8 <= bytes.count {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            let start = position + 8
            // A file cut in the middle of its pixels still holds the texts before them.
            guard length <= bytes.count - start else { break }
            let data = bytes[start..<start + length]
            switch String(decoding: bytes[position + 4..<start], as: UTF8.self) {
            case "IEND": return result
            case "tEXt":
                if let end = data.firstIndex(of: 0) {
                    result.append((latin1(data[..<end]), unmarked(data[(end + 1)...])))
                }
            case "iTXt":
                if let entry = try international(data) { result.append(entry) }
            case "zTXt":
                if let end = data.firstIndex(of: 0) { try refuseCompressed(latin1(data[..<end])) }
            default: break
            }
            guard length <= bytes.count - start - 4 else { break }
            position = start + length + 4
        }
        return result
    }

    /// keyword, 0, compression flag, compression method, language, 0, translated keyword, 0, UTF-8 text.
    private static func international(
        _ data: ArraySlice<UInt8>
    ) throws(WorkflowError) -> (keyword: String, text: String)? {
        guard let end = data.firstIndex(of: 0), end + 3 <= data.endIndex else { return nil }
        let keyword = latin1(data[..<end])
        guard data[end + 1] == 0 else {
            try refuseCompressed(keyword)
            return nil
        }
        guard let language = data[(end + 3)...].firstIndex(of: 0),
            let translated = data[(language + 1)...].firstIndex(of: 0)
        else { return nil }
        return (keyword, String(decoding: data[(translated + 1)...], as: UTF8.self))
    }

    private static func refuseCompressed(_ keyword: String) throws(WorkflowError) {
        guard keyword == "prompt" || keyword == "workflow" else { return }
        throw WorkflowError(
            .noWorkflow, at: keyword, "the text in the PNG picture is compressed, which is not supported",
            advice: "save the picture again with uncompressed text chunks, as ComfyUI does")
    }

    private static func latin1(_ bytes: ArraySlice<UInt8>) -> String {
        String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    /// Text without a declared encoding: UTF-8 where it is valid, though the specification says Latin-1.
    private static func unmarked(_ bytes: ArraySlice<UInt8>) -> String {
        String(validating: bytes, as: UTF8.self) ?? latin1(bytes)
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
