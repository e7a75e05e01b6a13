import NodeKit

/// A regular expression in Python's syntax, run by Swift's `Regex`.
///
/// The two syntaxes agree on what prompts are edited with; ``translated(_:)`` handles where they differ silently.
/// Lookbehind and conditionals, which `Regex` lacks, are reported.
public struct PythonPattern {
    public let source: String
    private let regex: Regex<AnyRegexOutput>

    /// - Parameter flags: letters as in `(?im)`.
    /// - Throws: ``NodeError`` for an invalid or unsupported pattern.
    public init(_ source: String, flags: String = "") throws {
        self.source = source
        do {
            regex = try Regex(Self.translated(flags.isEmpty ? source : "(?\(flags))" + source)).matchingSemantics(
                .unicodeScalar
            ).wordBoundaryKind(.simple)
        } catch {
            throw NodeError("the regular expression /\(source)/ cannot be used: \(error)")
        }
    }

    /// The groups of every match from left to right, the whole match first; `nil` for groups that took no part.
    public func matches(in text: String) -> [[String?]] { text.matches(of: regex).map { Self.groups($0.output) } }

    /// How many matches there are.
    public func matchCount(in text: String) -> Int { text.matches(of: regex).count }

    /// The groups of the first match.
    public func firstMatch(in text: String) -> [String?]? {
        // What `firstMatch` throws comes from custom components, of which there are none.
        guard let match = try? regex.firstMatch(in: text) else { return nil }
        return Self.groups(match.output)
    }

    private static func groups(_ output: AnyRegexOutput) -> [String?] { output.map { $0.substring.map(String.init) } }

    /// Every match, from left to right, replaced.
    ///
    /// - Parameter limit: how many matches are replaced at most; 0 for all.
    /// - Throws: ``NodeError`` when the replacement names a group that the pattern does not have.
    public func replacing(in text: String, with replacement: PythonReplacement, limit: Int = 0) throws -> String {
        var out = ""
        var position = text.startIndex
        for match in text.matches(of: regex).prefix(limit > 0 ? limit : .max) {
            out += text[position..<match.range.lowerBound]
            out += try replacement.text(for: match.output, pattern: source)
            position = match.range.upperBound
        }
        return out + text[position...]
    }

    /// The same pattern in Swift's syntax:
    /// * `\Z` is the very end (Swift: also before a last line feed), `$` the end or before a last line feed (Swift:
    ///   the very end), `.` everything but a line feed (Swift: no line end at all). `$` and `.` are left alone where
    ///   the pattern sets the flags m or s, which mean the same in both.
    /// * In a class `]` in first place, `[`, and doubled `&`, `-`, `~` are plain characters (Swift: set operations).
    static func translated(_ pattern: String) -> String {
        let flags = inlineFlags(pattern)
        var out = ""
        var characters = Array(pattern.unicodeScalars)[...]
        while let character = characters.popFirst() {
            switch character {
            case "\\":
                guard let escaped = characters.popFirst() else { return out + "\\" }
                out += escaped == "Z" ? "\\z" : "\\\(escaped)"
            case "[": out += translatedClass(&characters)
            case "$" where !flags.contains("m"): out += "(?=\\n?\\z)"
            case "." where !flags.contains("s"): out += "[^\\n]"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    /// A class whose "[" has been taken; takes the rest of it.
    private static func translatedClass(_ characters: inout ArraySlice<Unicode.Scalar>) -> String {
        var out = "["
        if characters.first == "^" {
            characters.removeFirst()
            out += "^"
        }
        var isFirst = true
        var previous: Unicode.Scalar?
        while let character = characters.popFirst() {
            switch character {
            case "\\":
                guard let escaped = characters.popFirst() else { return out + "\\" }
                out += "\\\(escaped)"
            case "]" where !isFirst: return out + "]"
            case "]", "[": out += "\\\(character)"
            case _ where character == previous && "&~-".unicodeScalars.contains(character): out += "\\\(character)"
            default: out.unicodeScalars.append(character)
            }
            previous = character
            isFirst = false
        }
        return out
    }

    /// Letters of all groups like `(?im)` and `(?s:…)`.
    private static func inlineFlags(_ pattern: String) -> Set<Character> {
        Set(pattern.matches(of: /\(\?([a-zA-Z]+)/).flatMap { $0.output.1 })
    }
}
