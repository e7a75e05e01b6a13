/// A text from outside in a message: long ones lose their end, control characters their effect.
func shortened(_ text: String, to limit: Int = 160) -> String {
    var out = ""
    for (index, scalar) in text.unicodeScalars.enumerated() {
        if index == limit { return out + "…" }
        out.unicodeScalars.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
    }
    return out
}
