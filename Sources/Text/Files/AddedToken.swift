internal import JSON

/// A token that is found in the text before the model sees it: `</s>`, `<extra_id_0>`.
struct AddedToken: Sendable {
    var id: Int
    var content: [Unicode.Scalar]
    /// Only where no letter, digit or underscore stands next to it.
    var isWord = false
    /// Takes the white space before it.
    var stripsLeft = false
    /// Takes the white space after it.
    var stripsRight = false
    /// Looked for after normalisation instead of before.
    var isNormalized = false

    static func list(_ value: JSON, file: String) throws(TokenizerError) -> [AddedToken] {
        if value.isNull { return [] }
        guard let items = value.arrayValue else {
            throw TokenizerError(.malformed, file: file, "added_tokens is \(value.kind), expected an array")
        }
        var tokens: [AddedToken] = []
        for (index, item) in items.enumerated() {
            guard let id = item["id"]?.intValue, (0..<(1 << 24)).contains(id),
                let content = item["content"]?.stringValue, !content.isEmpty
            else {
                throw TokenizerError(
                    .malformed, file: file, "added_tokens[\(index)] needs an id below \(1 << 24) and a content")
            }
            tokens.append(
                AddedToken(
                    id: id, content: Array(content.unicodeScalars), isWord: item["single_word"]?.boolValue ?? false,
                    stripsLeft: item["lstrip"]?.boolValue ?? false, stripsRight: item["rstrip"]?.boolValue ?? false,
                    isNormalized: item["normalized"]?.boolValue ?? false))
        }
        return tokens
    }
}

/// Finds added tokens in text: the leftmost, and of those the longest.
struct AddedTokenSplitter: Sendable {
    /// A stretch of text between added tokens, or one of them.
    enum Part {
        case text(ArraySlice<Unicode.Scalar>)
        case token(Int)
    }

    /// By first character, longest first.
    private let tokens: [Unicode.Scalar: [AddedToken]]

    init(_ tokens: [AddedToken]) {
        var byFirst: [Unicode.Scalar: [AddedToken]] = [:]
        for token in tokens { if let first = token.content.first { byFirst[first, default: []].append(token) } }
        self.tokens = byFirst.mapValues { $0.sorted { $0.content.count > $1.content.count } }
    }

    /// Parts in order; texts are not empty.
    func split(_ text: [Unicode.Scalar]) -> [Part] {
        guard !text.isEmpty else { return [] }
        guard !tokens.isEmpty else { return [.text(text[...])] }
        var parts: [Part] = []
        var start = 0
        var index = 0
        while index < text.count {
            guard let token = tokens[text[index]]?.first(where: { text[index...].starts(with: $0.content) }) else {
                index += 1
                continue
            }
            var begin = index
            var end = index + token.content.count
            if token.isWord, isWordPart(text, begin - 1) || isWordPart(text, end) {
                index = end
                continue
            }
            if token.stripsLeft { while begin > start, text[begin - 1].properties.isWhitespace { begin -= 1 } }
            if token.stripsRight { while end < text.count, text[end].properties.isWhitespace { end += 1 } }
            if begin > start { parts.append(.text(text[start..<begin])) }
            parts.append(.token(token.id))
            start = end
            index = end
        }
        if start < text.count { parts.append(.text(text[start...])) }
        return parts
    }

    private func isWordPart(_ text: [Unicode.Scalar], _ index: Int) -> Bool {
        guard text.indices.contains(index) else { return false }
        let properties = text[index].properties
        return properties.isAlphabetic || properties.numericType == .decimal || text[index] == "_"
    }
}
