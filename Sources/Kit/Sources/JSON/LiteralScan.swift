/// Finds, before json-c reads a text, what json-c would change without a word: integers beyond 64 bits, which it
/// clamps to the nearest limit, and keys with U+0000, which it cuts there; and keys in single quotes, which it accepts
/// even when told to be strict.
struct LiteralScan {
    /// How many values may follow.
    private var room: Int

    init(room: Int) { self.room = room }

    /// Positions behind integers that 64 bits do not hold.
    private var oversized: [Int] = []

    /// Reads the text once.
    ///
    /// - Throws: ``JSONError`` for a quote or a key that JSON does not have.
    mutating func run(_ text: Span<UInt8>) throws(JSONError) {
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") {
                let start = index
                var holdsNull = false
                index += 1
                while index < text.count, text[index] != UInt8(ascii: "\"") {
                    if text[index] == UInt8(ascii: "\\") {
                        if Self.isNullEscape(text, index) { holdsNull = true }
                        index += 1
                    }
                    index += 1
                }
                index += 1
                if holdsNull, Self.next(text, index) == UInt8(ascii: ":") {
                    throw JSONError(message: "a key of an object holds the character U+0000", offset: start)
                }
            } else if byte == UInt8(ascii: "-") || Self.isDigit(byte) {
                index = number(text, index)
            } else if byte == UInt8(ascii: "'") {
                throw JSONError(message: "single quotes are not JSON", offset: index)
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: ",") {
                room -= byte == UInt8(ascii: ",") ? 1 : 8
                guard room >= 0 else {
                    throw JSONError(message: "the text has more values than are allowed here", offset: index)
                }
                index += 1
            } else {
                index += 1
            }
        }
    }

    /// The text with an exponent behind the integers found, so that json-c reads them as doubles.
    func rewritten(_ text: [UInt8]) -> [UInt8] {
        if oversized.isEmpty { return text }
        var out: [UInt8] = []
        out.reserveCapacity(text.count + 2 * oversized.count)
        var start = 0
        for end in oversized {
            out += text[start..<end]
            out += [UInt8(ascii: "e"), UInt8(ascii: "0")]
            start = end
        }
        out += text[start...]
        return out
    }

    /// The position in the text as given of a position in the rewritten one.
    func original(_ position: Int) -> Int {
        var inserted = 0
        for end in oversized {
            if end + inserted >= position { break }
            inserted += 2
        }
        return max(0, position - inserted)
    }

    /// Reads the number at `start`; returns the position behind it.
    private mutating func number(_ text: Span<UInt8>, _ start: Int) -> Int {
        let isNegative = text[start] == UInt8(ascii: "-")
        var index = isNegative ? start + 1 : start
        let firstDigit = index
        var magnitude: UInt64 = 0
        var fits = true
        while index < text.count, Self.isDigit(text[index]) {
            let (scaled, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(UInt64(text[index] - UInt8(ascii: "0")))
            if overflow || carry { fits = false }
            magnitude = sum
            index += 1
        }
        if isNegative, magnitude > UInt64(Int64.max) + 1 { fits = false }
        let isFraction =
            index < text.count && [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(text[index])
        if !fits, !isFraction, index > firstDigit { oversized.append(index) }
        // The digits of an exponent are no integer of their own.
        while index < text.count, Self.isNumberPart(text[index]) { index += 1 }
        return index
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private static func isNumberPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"),
            UInt8(ascii: "+"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func isNullEscape(_ text: Span<UInt8>, _ index: Int) -> Bool {
        guard text.count - index >= 6, text[index + 1] == UInt8(ascii: "u") else { return false }
        return (2..<6).allSatisfy { text[index + $0] == UInt8(ascii: "0") }
    }

    /// The first byte from `start` on that is not white space.
    private static func next(_ text: Span<UInt8>, _ start: Int) -> UInt8? {
        var index = start
        while index < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[index]) { index += 1 }
        return index < text.count ? text[index] : nil
    }
}
