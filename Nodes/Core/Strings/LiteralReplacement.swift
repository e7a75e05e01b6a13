/// Replacing text as Python does: by code points, so that a letter is found under a combining accent too.
public enum LiteralReplacement {
    /// Every occurrence of `old` from left to right; an empty one stands between all code points and at both ends.
    public static func replacing(_ old: String, in text: String, with new: String) -> String {
        let (wanted, source) = (Array(old.unicodeScalars), Array(text.unicodeScalars))
        var out = String.UnicodeScalarView()
        var position = 0
        while position <= source.count {
            if source[position...].starts(with: wanted) {
                out.append(contentsOf: new.unicodeScalars)
                position += wanted.count
                if !wanted.isEmpty { continue }
            }
            if position < source.count { out.append(source[position]) }
            position += 1
        }
        return String(out)
    }
}
