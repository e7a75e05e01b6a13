/// A stretch of a prompt with one weight.
public struct WeightedText: Sendable, Hashable {
    public var text: String
    /// 1 for plain text; 1.1 per pair of parentheses; or the number behind a colon.
    public var weight: Double

    public init(_ text: String, weight: Double) {
        self.text = text
        self.weight = weight
    }

    /// Deepest nesting of parentheses. The reference fails at about 1000, too.
    public static let maximumDepth = 1000

    /// Reads `(text)`, `(text:1.2)`, nesting and `\(`, `\)`; families-unet-sampling.md §4.1, steps 1 to 3.
    ///
    /// - Throws: for parentheses nested deeper than ``maximumDepth``.
    public static func parse(_ prompt: String) throws(TokenizerError) -> [WeightedText] {
        var result: [WeightedText] = []
        // A stack instead of recursion; what is on top comes first in the text.
        var stack = pieces(escape(prompt)[...]).reversed().map { (text: $0, weight: 1.0, depth: 0) }
        while let item = stack.popLast() {
            guard let inner = inside(item.text) else {
                result.append(WeightedText(unescape(item.text), weight: item.weight))
                continue
            }
            guard item.depth < maximumDepth else {
                throw TokenizerError(
                    .prompt, file: "",
                    "the prompt has parentheses nested deeper than \(maximumDepth); write \\( and \\) for literal ones")
            }
            let (text, weight) = weighted(inner, item.weight)
            for piece in pieces(text).reversed() { stack.append((piece, weight, item.depth + 1)) }
        }
        return result
    }

    // Stand-ins for escaped parentheses: bytes that occur in no UTF-8 text.
    private static let escapedOpen: UInt8 = 0xFE
    private static let escapedClose: UInt8 = 0xFF
    private static let open = UInt8(ascii: "(")
    private static let close = UInt8(ascii: ")")

    private static func escape(_ prompt: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in prompt.utf8 {
            if byte == open || byte == close, bytes.last == UInt8(ascii: "\\") {
                bytes[bytes.count - 1] = byte == open ? escapedOpen : escapedClose
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    private static func unescape(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { $0 == escapedOpen ? open : $0 == escapedClose ? close : $0 }, as: UTF8.self)
    }

    /// What stands between the parentheses of a piece that begins and ends with them.
    private static func inside(_ piece: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard piece.count >= 2, piece.first == open, piece.last == close else { return nil }
        return piece.dropFirst().dropLast()
    }

    /// Multiplies the weight by 1.1, or takes the number behind the last colon instead.
    private static func weighted(_ text: ArraySlice<UInt8>, _ weight: Double) -> (ArraySlice<UInt8>, Double) {
        if let colon = text.lastIndex(of: UInt8(ascii: ":")), colon > text.startIndex,
            let number = number(text[(colon + 1)...])
        {
            return (text[..<colon], number)
        }
        return (text, weight * 1.1)
    }

    /// A decimal number with sign, exponent and white space around it, as Python's `float` reads it; also digits of
    /// other scripts and single underscores between digits, but no "inf" and "nan", which would poison the picture.
    private static func number(_ text: ArraySlice<UInt8>) -> Double? {
        var ascii = ""
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if !scalar.isASCII, scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue {
                ascii += String(Int(value))
            } else {
                ascii.unicodeScalars.append(scalar.properties.isWhitespace ? " " : scalar)
            }
        }
        let trimmed = Array(ascii.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        var digits = ""
        var previous: Character = " "
        for (index, character) in trimmed.enumerated() {
            guard character.isASCII, character.isNumber || "+-.eE_".contains(character) else { return nil }
            if character == "_" {
                guard previous.isNumber, index + 1 < trimmed.count, trimmed[index + 1].isNumber else { return nil }
            } else {
                digits.append(character)
            }
            previous = character
        }
        guard let value = Double(digits), value.isFinite else { return nil }
        return value
    }

    /// Cuts at parentheses of the outermost level.
    private static func pieces(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = text.startIndex
        var level = 0
        for index in text.indices {
            switch text[index] {
            case open:
                if level == 0, index > start {
                    pieces.append(text[start..<index])
                    start = index
                }
                level += 1
            case close:
                level -= 1
                if level == 0 {
                    pieces.append(text[start...index])
                    start = index + 1
                }
            default: break
            }
        }
        if start < text.endIndex { pieces.append(text[start...]) }
        return pieces
    }
}
