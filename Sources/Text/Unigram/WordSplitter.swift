internal import JSON

/// How a `tokenizer.json` cuts normalised text into words before the model sees them.
struct WordSplitter: Sendable {
    private enum Step {
        /// Cut at white space, which is dropped.
        case whitespace
        /// Spaces become a visible mark; a word begins with its mark.
        case metaspace(mark: Unicode.Scalar, prefix: Prefix, splits: Bool)
    }

    /// When a mark is put in front of a text that has none.
    private enum Prefix { case always, first, never }

    private let steps: [Step]

    /// - Parameter value: the `pre_tokenizer` of the file; `null` for none.
    init(_ value: JSON, file: String) throws(TokenizerError) { steps = try Self.list(value, file: file) }

    /// Spaces become marks, each begins a word, and so does the beginning of the text.
    init(firstWordMark mark: Unicode.Scalar) { steps = [.metaspace(mark: mark, prefix: .first, splits: true)] }

    private static func list(_ value: JSON, file: String) throws(TokenizerError) -> [Step] {
        func fault(_ code: TokenizerError.Code, _ message: String) -> TokenizerError {
            TokenizerError(code, file: file, "pre_tokenizer: \(message)")
        }
        if value.isNull { return [] }
        switch value["type"]?.stringValue {
        case "Sequence":
            guard let items = value["pretokenizers"]?.arrayValue else {
                throw fault(.malformed, "Sequence has no list of pretokenizers")
            }
            var steps: [Step] = []
            for item in items { steps += try list(item, file: file) }
            return steps
        case "WhitespaceSplit": return [.whitespace]
        case "Metaspace":
            let mark = Array((value["replacement"]?.stringValue ?? "▁").unicodeScalars)
            guard mark.count == 1, let mark = mark.first else {
                throw fault(
                    .malformed, "replacement is \"\(value["replacement"]?.stringValue ?? "")\", not one character")
            }
            let prefix: Prefix
            switch value["prepend_scheme"]?.stringValue {
            case "first": prefix = .first
            case "never": prefix = .never
            case "always": prefix = .always
            case nil: prefix = value["add_prefix_space"]?.boolValue == false ? .never : .always
            case let other?: throw fault(.unsupported, "the prepend_scheme \"\(other)\" is not implemented")
            }
            return [.metaspace(mark: mark, prefix: prefix, splits: value["split"]?.boolValue ?? true)]
        case let type: throw fault(.unsupported, "the type \(type ?? "(none)") is not implemented")
        }
    }

    /// - Parameter isFirst: whether the text stands at the very beginning.
    func split(_ text: [Unicode.Scalar], isFirst: Bool) -> [[Unicode.Scalar]] {
        var words: [(text: [Unicode.Scalar], isFirst: Bool)] = [(text, isFirst)]
        for step in steps {
            var result: [(text: [Unicode.Scalar], isFirst: Bool)] = []
            for word in words {
                switch step {
                case .whitespace:
                    for piece in word.text.split(whereSeparator: \.properties.isWhitespace) {
                        result.append((Array(piece), word.isFirst && piece.startIndex == 0))
                    }
                case .metaspace(let mark, let prefix, let splits):
                    var marked = word.text.map { $0 == " " ? mark : $0 }
                    let wantsMark = prefix == .always || (prefix == .first && word.isFirst)
                    if wantsMark, let first = marked.first, first != mark { marked.insert(mark, at: 0) }
                    if splits {
                        result += Self.cut(marked, before: mark).map { ($0, false) }
                    } else {
                        result.append((marked, word.isFirst))
                    }
                }
            }
            words = result
        }
        return words.map(\.text).filter { !$0.isEmpty }
    }

    private static func cut(_ text: [Unicode.Scalar], before mark: Unicode.Scalar) -> [[Unicode.Scalar]] {
        var words: [[Unicode.Scalar]] = []
        var start = 0
        for index in text.indices where index > start && text[index] == mark {
            words.append(Array(text[start..<index]))
            start = index
        }
        words.append(Array(text[start...]))
        return words
    }
}
