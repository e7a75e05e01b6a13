/// The first directory of an EXIF block (TIFF 6.0, section 2): enough for the orientation and for texts.
struct Exif {
    private let bytes: [UInt8]
    private let isLittleEndian: Bool
    private let entries: [Int: Entry]

    private struct Entry {
        let type: Int
        let count: Int
        /// Where the value, or the offset of the value, stands.
        let position: Int
    }

    /// `nil` when the block has no readable directory. The prefix "Exif\0\0" of JPEG and WebP files may be present.
    init?(_ block: [UInt8]) {
        let prefix = Array("Exif\0\0".utf8)
        let bytes = block.starts(with: prefix) ? Array(block.dropFirst(prefix.count)) : block
        guard bytes.count >= 8 else { return nil }
        let isLittleEndian: Bool
        switch (bytes[0], bytes[1]) {
        case (0x49, 0x49): isLittleEndian = true
        case (0x4D, 0x4D): isLittleEndian = false
        default: return nil
        }
        func number(_ position: Int, _ size: Int) -> Int? {
            Self.number(bytes, isLittleEndian, at: position, size: size)
        }
        guard number(2, 2) == 42, let start = number(4, 4), let count = number(start, 2) else { return nil }
        var entries: [Int: Entry] = [:]
        for index in 0..<count {
            let position = start + 2 + 12 * index
            guard let tag = number(position, 2), let type = number(position + 2, 2),
                let length = number(position + 4, 4), position + 12 <= bytes.count
            else { break }
            entries[tag] = Entry(type: type, count: length, position: position + 8)
        }
        self.bytes = bytes
        self.isLittleEndian = isLittleEndian
        self.entries = entries
    }

    /// Tag 0x0112, if it is there and valid.
    var orientation: Orientation? {
        guard let entry = entries[0x0112] else { return nil }
        // 3 is a 16-bit number, the regular type; some writers use 32 bits.
        let size = entry.type == 3 ? 2 : entry.type == 4 ? 4 : 0
        guard size > 0, entry.count >= 1 else { return nil }
        return Self.number(bytes, isLittleEndian, at: entry.position, size: size).flatMap(Orientation.init(rawValue:))
    }

    /// All values of type ASCII (2) in the order of their tags; some writers call them undefined (7).
    var texts: [String] {
        entries.sorted { $0.key < $1.key }.compactMap { tag, entry in
            guard entry.type == 2 || entry.type == 7, entry.count > 0 else { return nil }
            let start =
                entry.count <= 4
                ? entry.position : Self.number(bytes, isLittleEndian, at: entry.position, size: 4)
            guard let start, start <= bytes.count, entry.count <= bytes.count - start else { return nil }
            return String(decoding: bytes[start..<start + entry.count].prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// Those of the texts that begin with a name and a colon, as the reference stores workflows.
    var namedTexts: [ImageText] {
        texts.compactMap { text in
            guard let colon = text.firstIndex(of: ":"), colon != text.startIndex,
                text[..<colon].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
            else { return nil }
            return ImageText(String(text[..<colon]), String(text[text.index(after: colon)...]))
        }
    }

    private static func number(_ bytes: [UInt8], _ isLittleEndian: Bool, at position: Int, size: Int) -> Int? {
        guard position >= 0, position <= bytes.count - size else { return nil }
        let field = bytes[position..<position + size]
        return isLittleEndian
            ? field.reversed().reduce(0) { $0 << 8 | Int($1) } : field.reduce(0) { $0 << 8 | Int($1) }
    }
}
