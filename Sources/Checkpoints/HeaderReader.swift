/// A strict reader for the JSON subset of safetensors headers. It sees duplicate keys, which general parsers hide, and
/// never recurses, so that hostile nesting cannot exhaust the stack.
struct HeaderReader {
    private let text: [UInt8]
    private(set) var position = 0

    init(_ text: [UInt8]) { self.text = text }

    struct Fault: Error {
        var message: String
        var position: Int
    }

    func fault(_ message: String) -> Fault { Fault(message: message, position: position) }
    var isAtEnd: Bool { position >= text.count }

    mutating func skipSpaces() {
        while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
    }

    /// Consumes `character` if it comes next.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpaces()
        guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
        guard take(character) else {
            let found = position < text.count ? "'\(Unicode.Scalar(text[position]))'" : "the end of the header"
            throw fault("expected '\(character)', found \(found)")
        }
    }

    /// A JSON string.
    mutating func string() throws(Fault) -> String {
        try expect("\"")
        var bytes: [UInt8] = []
        while true {
            guard position < text.count else { throw fault("unterminated text") }
            let byte = text[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let decoded = String(validating: bytes, as: UTF8.self) else { throw fault("text is not UTF-8") }
                return decoded
            case UInt8(ascii: "\\"): try escape(into: &bytes)
            case 0..<0x20: throw fault("control character in text")
            default: bytes.append(byte)
            }
        }
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(Fault) {
        guard position < text.count else { throw fault("unterminated text") }
        let byte = text[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard position + 1 < text.count, text[position] == UInt8(ascii: "\\"),
                    text[position + 1] == UInt8(ascii: "u")
                else { throw fault("half of a surrogate pair") }
                position += 2
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw fault("half of a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("half of a surrogate pair") }
            bytes.append(contentsOf: Array(String(scalar).utf8))
        default: throw fault("unknown escape in text")
        }
    }

    private mutating func hexadecimal() throws(Fault) -> UInt32 {
        guard position + 4 <= text.count else { throw fault("short \\u escape") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(text[position])).hexDigitValue else {
                throw fault("bad \\u escape")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    /// A whole number from 0 to 2⁶³−1 without sign, fraction or exponent.
    mutating func wholeNumber() throws(Fault) -> Int {
        skipSpaces()
        let start = position
        var value = 0
        while position < text.count, (0x30...0x39).contains(text[position]) {
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (next, carry) = tens.addingReportingOverflow(Int(text[position]) - 0x30)
            if overflow || carry { throw fault("a number is too large") }
            value = next
            position += 1
        }
        guard position > start else { throw fault("expected a whole number") }
        if position < text.count, [0x2E, 0x65, 0x45].contains(text[position]) {
            throw fault("expected a whole number")
        }
        if position - start > 1 && text[start] == 0x30 { throw fault("a number starts with 0") }
        return value
    }

    /// `[n, n, …]`, at most `limit` numbers.
    mutating func wholeNumbers(limit: Int) throws(Fault) -> [Int] {
        try expect("[")
        var numbers: [Int] = []
        if take("]") { return numbers }
        while true {
            numbers.append(try wholeNumber())
            guard numbers.count <= limit else { throw fault("more than \(limit) numbers in a list") }
            if take("]") { return numbers }
            try expect(",")
        }
    }
}
