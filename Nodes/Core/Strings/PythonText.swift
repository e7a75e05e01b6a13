/// Texts as Python treats them: by code points.
enum PythonText {
    /// The choices of CaseConverter.
    enum Case: String, CaseIterable {
        case upper = "UPPERCASE"
        case lower = "lowercase"
        case capitalized = "Capitalize"
        case title = "Title Case"

        func applied(to text: String) -> String {
            switch self {
            case .upper: return text.uppercased()
            case .lower: return text.lowercased()
            case .capitalized:
                guard let first = text.unicodeScalars.first else { return text }
                let rest = String(String.UnicodeScalarView(text.unicodeScalars.dropFirst()))
                return first.properties.titlecaseMapping + rest.lowercased()
            case .title:
                // A letter behind a letter is small, every other one large.
                var out = ""
                var isInside = false
                for scalar in text.unicodeScalars {
                    out += isInside ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
                    isInside = scalar.properties.isCased
                }
                return out
            }
        }
    }

    /// `text[start:end]`.
    static func slice(_ text: String, from start: Int, to end: Int) -> String {
        let scalars = text.unicodeScalars
        let count = scalars.count
        func place(_ index: Int) -> Int { index < 0 ? max(index, -count) + count : min(index, count) }
        let (first, last) = (place(start), place(end))
        return first < last ? String(String.UnicodeScalarView(scalars.dropFirst(first).prefix(last - first))) : ""
    }

    /// `text.strip()`, `lstrip()`, `rstrip()`.
    static func trimmed(_ text: String, left: Bool, right: Bool) -> String {
        var scalars = text.unicodeScalars[...]
        while left, let first = scalars.first, isSpace(first) { scalars.removeFirst() }
        while right, let last = scalars.last, isSpace(last) { scalars.removeLast() }
        return String(String.UnicodeScalarView(scalars))
    }

    /// `part in text`.
    static func contains(_ text: String, _ part: String) -> Bool {
        let (text, part) = (Array(text.utf8), Array(part.utf8))
        return part.isEmpty || text.contains(part)
    }

    /// `str.isspace()`: white space and the four separators of ASCII.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }
}
