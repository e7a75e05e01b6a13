extension JSON {
    /// How a value is spelled as text.
    public enum Style: Sendable, Hashable {
        /// No spaces: one line of a log.
        case compact
        /// `", "` and `": "`, characters outside ASCII as `\uXXXX`: as the reference writes image metadata.
        case python
        /// Two spaces of indentation per level.
        case pretty
    }

    /// The value as JSON text. NaN and infinities, which JSON lacks, become `null`.
    public func text(_ style: Style = .compact) -> String {
        var out = ""
        write(into: &out, style, 0)
        return out
    }

    private func write(into out: inout String, _ style: Style, _ level: Int) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .int(let value): out += String(value)
        case .uint(let value): out += String(value)
        case .double(let value): out += value.isFinite ? value.description : "null"
        case .string(let value): Self.write(value, into: &out, ascii: style == .python)
        case .array(let items):
            if items.isEmpty {
                out += "[]"
                return
            }
            out += "["
            for (index, item) in items.enumerated() {
                if index > 0 { out += style == .python ? ", " : "," }
                Self.newline(into: &out, style, level + 1)
                item.write(into: &out, style, level + 1)
            }
            Self.newline(into: &out, style, level)
            out += "]"
        case .object(let members):
            if members.isEmpty {
                out += "{}"
                return
            }
            out += "{"
            var first = true
            for (key, value) in members {
                if !first { out += style == .python ? ", " : "," }
                first = false
                Self.newline(into: &out, style, level + 1)
                Self.write(key, into: &out, ascii: style == .python)
                out += style == .compact ? ":" : ": "
                value.write(into: &out, style, level + 1)
            }
            Self.newline(into: &out, style, level)
            out += "}"
        }
    }

    private static func newline(into out: inout String, _ style: Style, _ level: Int) {
        if style == .pretty { out += "\n" + String(repeating: "  ", count: level) }
    }

    private static func write(_ value: String, into out: inout String, ascii: Bool) {
        out += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{8}": out += "\\b"
            case "\u{c}": out += "\\f"
            default:
                if scalar.value < 0x20 || (ascii && scalar.value > 0x7e) {
                    for unit in String(scalar).utf16 {
                        let digits = String(unit, radix: 16)
                        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                    }
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        out += "\""
    }
}
