import JSON

/// A value as the reference prints it in error texts: `['a', 'b']`, `True`, `None`.
func pythonText(_ json: JSON) -> String {
    switch json {
    case .null: "None"
    case .bool(let value): value ? "True" : "False"
    case .string(let text): quoted(text)
    case .array(let items): "[" + items.map(pythonText).joined(separator: ", ") + "]"
    case .object(let members):
        "{" + members.map { quoted($0.key) + ": " + pythonText($0.value) }.joined(separator: ", ") + "}"
    case .double(let value) where !value.isFinite: value.isNaN ? "nan" : value < 0 ? "-inf" : "inf"
    case .int, .uint, .double: json.text()
    }
}

private func quoted(_ whole: String) -> String {
    // For messages, which are cut anyway: 50 MB need not be escaped for that.
    let text = whole.utf8.count > 4000 ? String(whole.unicodeScalars.prefix(4000)) : whole
    let mark: Character = text.contains("'") && !text.contains("\"") ? "\"" : "'"
    var out = String(mark)
    for character in text {
        switch character {
        case "\\": out += "\\\\"
        case "\n": out += "\\n"
        case "\r": out += "\\r"
        case "\t": out += "\\t"
        case mark: out += "\\" + String(mark)
        default: out.append(character)
        }
    }
    return out + String(mark)
}

/// A text cut to a length that fits a message.
func shortened(_ text: String, to limit: Int = 160) -> String {
    // Counting a whole 50 MB text would be as slow as printing it.
    guard text.utf8.count > limit, let end = text.index(text.startIndex, offsetBy: limit, limitedBy: text.endIndex),
        end != text.endIndex
    else { return text }
    return text[..<end] + "…"
}
