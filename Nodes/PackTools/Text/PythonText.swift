import Glibc
import JSON

/// Text as Python handles it: by code points.
public enum PythonText {
    /// What `strip` and `\s` take for white space: also the separators 1C to 1F.
    public static func isWhiteSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }

    /// Without white space at both ends.
    public static func stripped(_ text: String) -> String {
        let scalars = text.unicodeScalars.drop(while: isWhiteSpace)
        guard let last = scalars.lastIndex(where: { !isWhiteSpace($0) }) else { return "" }
        return String(scalars[...last])
    }

    /// A number as Python prints it: 1.0, 1e-05.
    public static func number(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        return JSON.double(value).text(.python)
    }

    /// The pieces between the occurrences of a separator that is not empty.
    public static func split(_ text: String, at separator: String) -> [String] {
        let (wanted, source) = (Array(separator.unicodeScalars), Array(text.unicodeScalars))
        guard !wanted.isEmpty else { return [text] }
        var parts: [String] = []
        var part = String.UnicodeScalarView()
        var position = 0
        while position < source.count {
            if source[position...].starts(with: wanted) {
                parts.append(String(part))
                part = String.UnicodeScalarView()
                position += wanted.count
            } else {
                part.append(source[position])
                position += 1
            }
        }
        return parts + [String(part)]
    }

    /// A number with that many decimals, as `%.3f` writes it; at most 300.
    public static func fixed(_ value: Double, decimals: Int) -> String {
        let decimals = Int32(min(max(decimals, 0), 300))
        // The largest number has 309 digits before the point.
        var buffer = [CChar](repeating: 0, count: 700)
        let capacity = buffer.count
        let length = unsafe buffer.withUnsafeMutableBufferPointer { target in
            unsafe withVaList([decimals, value]) { unsafe vsnprintf(target.baseAddress, capacity, "%.*f", $0) }
        }
        return String(decoding: buffer.prefix(max(0, Int(length))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Python's `round(value, places)`: the decimal nearest to the exact value; negative places round to tens and so on.
    public static func rounded(_ value: Double, places: Int) -> Double {
        guard value.isFinite else { return value }
        // Beyond these nothing is left to round, or nothing remains.
        if places > 323 { return value }
        if places < -308 { return value * 0 }
        if places >= 0 { return Double(fixed(value, decimals: min(places, 300))) ?? value }
        let unit = pow(10, Double(-places))
        return (value / unit).rounded(.toNearestOrEven) * unit
    }
}
