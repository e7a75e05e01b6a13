internal import JSON

/// Reads a JSON text front to back, without building a tree.
///
/// A `tokenizer.json` is one array of 32,100 pairs: as ``JSON`` values it takes six times as long to load.
///
///     try reader.beginObject()
///     while try reader.nextKey(&key) { … read or skip one value … }
struct JSONReader {
    /// Deepest nesting that ``value()`` and ``skip()`` follow.
    static let maximumDepth = 128

    let file: String
    private let bytes: [UInt8]
    private var position = 0
    /// Whether the innermost container has had no element yet.
    private var isFirst = false

    /// - Throws: for bytes that are no UTF-8.
    init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        self.file = file
        self.bytes = bytes
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw TokenizerError(.malformed, file: file, "is not UTF-8 text")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    func fault(_ message: String) -> TokenizerError {
        let line = bytes[..<min(position, bytes.count)].count { $0 == 0x0A } + 1
        return TokenizerError(.malformed, file: file, "\(message) at byte \(position), line \(line)")
    }

    // MARK: Containers

    mutating func beginObject() throws(TokenizerError) { try begin(UInt8(ascii: "{"), "an object") }
    mutating func beginArray() throws(TokenizerError) { try begin(UInt8(ascii: "["), "an array") }

    private mutating func begin(_ bracket: UInt8, _ name: String) throws(TokenizerError) {
        guard try peek() == bracket else { throw fault("expected \(name)") }
        position += 1
        isFirst = true
    }

    /// Moves to the next element; false, and past the bracket, at the end.
    mutating func nextElement() throws(TokenizerError) -> Bool { try next(UInt8(ascii: "]"), "]") }

    /// Reads the next key and the colon; false, and past the brace, at the end.
    mutating func nextKey(_ key: inout [UInt8]) throws(TokenizerError) -> Bool {
        guard try next(UInt8(ascii: "}"), "}") else { return false }
        try string(into: &key)
        guard try peek() == UInt8(ascii: ":") else { throw fault("expected ':'") }
        position += 1
        return true
    }

    mutating func nextKey(_ key: inout String) throws(TokenizerError) -> Bool {
        var bytes: [UInt8] = []
        guard try nextKey(&bytes) else { return false }
        key = String(decoding: bytes, as: UTF8.self)
        return true
    }

    private mutating func next(_ closing: UInt8, _ name: String) throws(TokenizerError) -> Bool {
        let first = isFirst
        isFirst = false
        let byte = try peek()
        if byte == closing {
            position += 1
            return false
        }
        if first { return true }
        guard byte == UInt8(ascii: ",") else { throw fault("expected ',' or '\(name)'") }
        position += 1
        guard try peek() != closing else { throw fault("expected a value after ','") }
        return true
    }

    /// - Throws: when more than white space follows.
    mutating func end() throws(TokenizerError) {
        skipSpace()
        guard position == bytes.count else { throw fault("unexpected text after the JSON value") }
    }

    // MARK: Values

    /// First byte of the next value, not consumed.
    mutating func peek() throws(TokenizerError) -> UInt8 {
        skipSpace()
        guard position < bytes.count else { throw fault("the text ends too early") }
        return bytes[position]
    }

    mutating func string() throws(TokenizerError) -> String {
        var text: [UInt8] = []
        try string(into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Replaces `text` by the bytes of a string.
    mutating func string(into text: inout [UInt8]) throws(TokenizerError) {
        guard try peek() == UInt8(ascii: "\"") else { throw fault("expected a string") }
        position += 1
        text.removeAll(keepingCapacity: true)
        while true {
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\"),
                bytes[position] >= 0x20
            { position += 1 }
            text.append(contentsOf: bytes[start..<position])
            guard position < bytes.count else { throw fault("the text ends inside a string") }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): try escape(into: &text)
            default: throw fault("control character inside a string")
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(TokenizerError) {
        guard position + 1 < bytes.count else { throw fault("the text ends inside a string") }
        let letter = bytes[position + 1]
        position += 2
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw fault("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("half a surrogate pair") }
            text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw fault("unknown escape in a string")
        }
    }

    private mutating func hexadecimal() throws(TokenizerError) -> UInt32 {
        guard position + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw fault("expected four hexadecimal digits") }
        position += 4
        return code
    }

    /// Reads a number as the reference's JSON library does: the digits as an integer, rounded, then one multiplication
    /// or division by a power of ten. The result may be one unit in the last place off, and unigram scores must be off
    /// in the same way: they decide between cuts that are equally good on paper.
    mutating func number() throws(TokenizerError) -> Double {
        let isNegative = try peek() == UInt8(ascii: "-")
        let start = position
        if isNegative { position += 1 }
        var significand: UInt64 = 0
        var exponent = 0
        var digits = 0
        var isFull = false
        func take(fraction: Bool) {
            while position < bytes.count, case UInt8(ascii: "0")...UInt8(ascii: "9") = bytes[position] {
                let (tens, over) = significand.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(UInt64(bytes[position] - UInt8(ascii: "0")))
                isFull = isFull || over || carry
                if !isFull { significand = sum }
                if isFull != fraction { exponent += fraction ? -1 : 1 }
                digits += 1
                position += 1
            }
        }
        take(fraction: false)
        if digits > 0, position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            take(fraction: true)
        }
        if digits > 0, position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            let isDown = position < bytes.count && bytes[position] == UInt8(ascii: "-")
            if position < bytes.count, isDown || bytes[position] == UInt8(ascii: "+") { position += 1 }
            var power = 0
            while position < bytes.count, case UInt8(ascii: "0")...UInt8(ascii: "9") = bytes[position] {
                power = min(power * 10 + Int(bytes[position] - UInt8(ascii: "0")), 1_000_000)
                position += 1
            }
            exponent += isDown ? -power : power
        }
        let value = Self.scaled(significand, exponent)
        guard digits > 0, value.isFinite else {
            position = start
            throw fault("expected a number")
        }
        return isNegative ? -value : value
    }

    /// What ``number()`` makes of a value that was written to JSON with all its digits.
    static func rereading(_ value: Double) -> Double {
        guard var reader = try? JSONReader(Array(value.description.utf8), file: "") else { return value }
        return (try? reader.number()) ?? value
    }

    /// 10⁰ … 10³⁰⁸, each the nearest double.
    private static let powersOfTen = (0...308).map { Double("1e\($0)") ?? .infinity }

    private static func scaled(_ significand: UInt64, _ exponent: Int) -> Double {
        var value = Double(significand)
        var exponent = exponent
        while exponent < -308, value != 0 {
            value /= powersOfTen[308]
            exponent += 308
        }
        if value == 0 { return 0 }
        if exponent > 308 { return .infinity }
        return exponent < 0 ? value / powersOfTen[-exponent] : value * powersOfTen[exponent]
    }

    mutating func integer() throws(TokenizerError) -> Int {
        var value = 0
        let first = try peek()
        let start = position
        if first == UInt8(ascii: "-") { position += 1 }
        var digits = 0
        while position < bytes.count, case UInt8(ascii: "0")...UInt8(ascii: "9") = bytes[position] {
            digits += 1
            if digits > 18 { break }
            value = value * 10 + Int(bytes[position] - UInt8(ascii: "0"))
            position += 1
        }
        if digits == 0 || digits > 18 || (position < bytes.count && Self.isNumeric(bytes[position])) {
            position = start
            throw fault("expected an integer below 10^18")
        }
        return first == UInt8(ascii: "-") ? -value : value
    }

    private static func isNumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// Reads any value as a tree: for the small parts of a file.
    mutating func value() throws(TokenizerError) -> JSON { try value(depth: 0) }

    private mutating func value(depth: Int) throws(TokenizerError) -> JSON {
        guard depth < Self.maximumDepth else { throw fault("nested deeper than \(Self.maximumDepth)") }
        switch try peek() {
        case UInt8(ascii: "{"):
            var members = JSONObject()
            var key = ""
            try beginObject()
            while try nextKey(&key) { members[key] = try value(depth: depth + 1) }
            return .object(members)
        case UInt8(ascii: "["):
            var items: [JSON] = []
            try beginArray()
            while try nextElement() { items.append(try value(depth: depth + 1)) }
            return .array(items)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .double(try number())
        }
    }

    private mutating func word(_ text: String, _ value: JSON) throws(TokenizerError) -> JSON {
        guard bytes[position...].starts(with: text.utf8) else { throw fault("expected a value") }
        position += text.utf8.count
        return value
    }

    /// Passes over any value.
    mutating func skip() throws(TokenizerError) {
        let start = try peek()
        if start == UInt8(ascii: "\"") {
            var text: [UInt8] = []
            try string(into: &text)
        } else {
            _ = try value(depth: 0)
        }
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }
}
