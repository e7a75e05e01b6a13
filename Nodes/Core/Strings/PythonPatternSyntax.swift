import NodeKit

/// Where PCRE2 reads a pattern otherwise than Python does, without a word.
enum PythonPatternSyntax {
    /// Letters that Python knows after a backslash.
    private static let letters = Set("AbBdDsSwWabfnrtvxuUN".unicodeScalars)

    /// The same pattern for PCRE2:
    /// * `\Z` is the very end (PCRE2: also before a last line feed), `\v` the vertical tab (PCRE2: a class);
    /// * `\uXXXX` and `\UXXXXXXXX` are characters; letters that Python does not know after a backslash are refused;
    /// * in a class, `[` is a plain character (PCRE2: it may begin `[:name:]`);
    /// * `{,3}` is `{0,3}` (PCRE2: plain text); `(*…)` is refused (PCRE2: commands).
    ///
    /// - Throws: ``NodeError`` for escapes that Python refuses.
    static func translated(_ pattern: String) throws -> String {
        var out = ""
        var rest = Array(pattern.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\": out += try escape(&rest, isInClass: false)
            case "[": out += try characterClass(&rest)
            case "(" where rest.first == "*": throw NodeError("nothing to repeat at (*")
            case "{" where isUpperBoundOnly(rest): out += "{0"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// Whether `,digits}` or `,}` follows.
    private static func isUpperBoundOnly(_ rest: ArraySlice<Unicode.Scalar>) -> Bool {
        guard rest.first == "," else { return false }
        let digits = rest.dropFirst().prefix { ("0"..."9").contains($0) }
        return rest.dropFirst(1 + digits.count).first == "}"
    }

    /// What stands for an escape whose backslash was taken.
    private static func escape(_ rest: inout ArraySlice<Unicode.Scalar>, isInClass: Bool) throws -> String {
        guard let letter = rest.popFirst() else { throw NodeError("bad escape: a single backslash at the end") }
        switch letter {
        case "Z" where !isInClass: return "\\z"
        case "v": return "\\x0b"
        case "u": return try character(&rest, digits: 4)
        case "U": return try character(&rest, digits: 8)
        case "a"..."z", "A"..."Z":
            guard letters.contains(letter), letter != "N" else { throw NodeError("bad escape \\\(letter)") }
            return "\\\(letter)"
        default: return "\\\(letter)"
        }
    }

    private static func character(_ rest: inout ArraySlice<Unicode.Scalar>, digits: Int) throws -> String {
        var text = ""
        for scalar in rest.prefix(digits) { text.unicodeScalars.append(scalar) }
        guard text.utf8.count == digits, let value = UInt32(text, radix: 16), Unicode.Scalar(value) != nil else {
            throw NodeError("bad escape \\\(digits == 4 ? "u" : "U")\(text): expected \(digits) hexadecimal digits")
        }
        rest = rest.dropFirst(digits)
        return "\\x{\(text)}"
    }

    /// A class whose "[" has been taken; takes the rest of it.
    private static func characterClass(_ rest: inout ArraySlice<Unicode.Scalar>) throws -> String {
        var out = "["
        if rest.first == "^" {
            rest.removeFirst()
            out += "^"
        }
        var isFirst = true
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\": out += try escape(&rest, isInClass: true)
            case "]" where !isFirst: return out + "]"
            case "]", "[": out += "\\\(scalar)"
            default: out.unicodeScalars.append(scalar)
            }
            isFirst = false
        }
        throw NodeError("unterminated character set")
    }
}
