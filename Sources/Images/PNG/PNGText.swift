internal import CImages

/// A piece of text in a picture file: `prompt` and `workflow` in those made by ComfyUI and graphrun.
public struct ImageText: Sendable, Hashable {
    public var keyword: String
    public var text: String

    public init(_ keyword: String, _ text: String) {
        self.keyword = keyword
        self.text = text
    }
}

extension [ImageText] {
    /// The text of the last entry with this keyword.
    public subscript(keyword: String) -> String? { last { $0.keyword == keyword }?.text }
}

extension PNGFile {
    /// The tEXt, zTXt and iTXt chunks in the order of the file (PNG 3rd edition, §11.3.3), and ComfyUI's comf chunks.
    ///
    /// tEXt and zTXt are Latin-1 by the standard, but are often written as UTF-8: they are read as UTF-8 where that is
    /// valid.
    ///
    /// - Throws: ``ImageError/Code/tooLarge`` beyond the limit, ``ImageError/Code/damaged`` for a wrong check sum or
    ///   broken compression.
    func text(limits: ImageLimits) throws(ImageError) -> [ImageText] {
        var entries: [ImageText] = []
        var budget = limits.textBytes
        for chunk in chunks {
            guard let kind = TextKind(chunk.name) else { continue }
            try Self.check(chunk, of: bytes)
            guard let fields = TextFields(kind, bytes, chunk.data) else {
                throw ImageError(.damaged, "the PNG file is damaged: a text chunk without a proper keyword")
            }
            let content: [UInt8]
            if fields.isCompressed {
                content = try inflate(bytes, fields.content, limit: budget)
            } else {
                content = Array(bytes[fields.content])
            }
            // The keyword counts too, or empty texts would be free.
            budget -= content.count + fields.keyword.count
            guard budget >= 0 else { throw tooMuchText(limits.textBytes) }
            entries.append(
                ImageText(
                    decoded(bytes[fields.keyword], asUTF8: false), decoded(content[...], asUTF8: kind == .international)
                ))
        }
        return entries
    }

    private func inflate(_ bytes: [UInt8], _ range: Range<Int>, limit: Int) throws(ImageError) -> [UInt8] {
        var memory: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe ci_inflate(
                buffer.baseAddress.map { unsafe $0 + range.lowerBound }, range.count, limit, &memory, &count)
        }
        switch Int(status) {
        case Int(CI_OK): break
        case Int(CI_TOO_LARGE): throw tooMuchText(limit)
        case Int(CI_OUT_OF_MEMORY): throw ImageError(.outOfMemory, "out of memory while reading the PNG file's text")
        default: throw ImageError(.damaged, "the PNG file is damaged: a compressed text chunk cannot be decompressed")
        }
        defer { unsafe CImages.ci_free(memory) }
        return unsafe [UInt8](UnsafeBufferPointer(start: memory, count: count))
    }

    private func tooMuchText(_ limit: Int) -> ImageError {
        ImageError(.tooLarge, "the PNG file's text chunks hold more than the limit of \(limit) bytes")
    }
}

/// UTF-8 where valid; otherwise Latin-1, or with replacement characters if it had to be UTF-8.
private func decoded(_ bytes: ArraySlice<UInt8>, asUTF8: Bool) -> String {
    if asUTF8 { return String(decoding: bytes, as: UTF8.self) }
    return String(validating: bytes, as: UTF8.self)
        ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}

private enum TextKind {
    case plain, compressed, international

    init?(_ name: UInt32) {
        switch name {
        case PNGFile.ChunkName.text, PNGFile.ChunkName.comfyText: self = .plain
        case PNGFile.ChunkName.compressedText: self = .compressed
        case PNGFile.ChunkName.internationalText: self = .international
        default: return nil
        }
    }
}

/// Where the parts of a text chunk lie in the file.
private struct TextFields {
    let keyword: Range<Int>
    let content: Range<Int>
    let isCompressed: Bool

    init?(_ kind: TextKind, _ bytes: [UInt8], _ data: Range<Int>) {
        func end(from start: Int) -> Int? { bytes[start..<data.upperBound].firstIndex(of: 0) }
        guard let keywordEnd = end(from: data.lowerBound), keywordEnd > data.lowerBound,
            keywordEnd - data.lowerBound <= 79
        else { return nil }
        keyword = data.lowerBound..<keywordEnd
        var start = keywordEnd + 1
        switch kind {
        case .plain:
            isCompressed = false
        case .compressed:
            // One byte for the method; 0 is the only one there is.
            guard start < data.upperBound, bytes[start] == 0 else { return nil }
            start += 1
            isCompressed = true
        case .international:
            guard data.upperBound - start >= 2 else { return nil }
            isCompressed = bytes[start] != 0
            guard !isCompressed || bytes[start + 1] == 0, let language = end(from: start + 2),
                let translated = end(from: language + 1)
            else { return nil }
            start = translated + 1
        }
        content = start..<data.upperBound
    }
}
