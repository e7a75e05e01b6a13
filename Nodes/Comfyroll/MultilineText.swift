import CoreNodes
import NodeKit
import PackTools

/// Lines of text, also from values separated by commas (pack-nodes.md §4).
struct CRMultilineText: Node {
    static let info = NodeInfo(
        "CR Multiline Text", displayName: "🔤 CR Multiline Text", category: "🧩 Comfyroll Studio/✨ Essential/🔤 Text")

    @Input(.multiline) var text = ""
    @Input(.tooltip("Every value separated by commas becomes a line.")) var convertFromCsv = false
    @Input var csvQuoteChar = "'"
    @Input var removeChars = false
    @Input var charsToRemove = ""
    @Input(.optional) var splitString = false
    @Output("multiline_text", type: "*") var result: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        let source = withoutTrailingCommas(text)
        let lines: [String]
        if convertFromCsv {
            lines = try CommaSeparated(quote: csvQuoteChar).fields(of: PythonText.stripped(source))
        } else if splitString {
            lines = split(source)
        } else {
            lines = linesOf(source).filter { !PythonText.stripped($0).hasPrefix("#") }.map { line in
                removeChars && !charsToRemove.isEmpty
                    ? LiteralReplacement.replacing(charsToRemove, in: line, with: "") : line
            }
        }
        (result, help) = (lines.joined(separator: "\n"), helpText)
    }

    private func withoutTrailingCommas(_ text: String) -> String {
        var scalars = text.unicodeScalars
        while scalars.last == "," { scalars.removeLast() }
        return String(scalars)
    }

    private func linesOf(_ text: String) -> [String] {
        var lines = PythonText.split(text, at: "\n")
        // A text that ends in a line feed has no further, empty line.
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    /// 'a', 'b' → a, b; otherwise the parts between commas without quotes.
    private func split(_ text: String) -> [String] {
        let isQuoted = text.unicodeScalars.count >= 2 && text.hasPrefix("'") && text.hasSuffix("'")
        if isQuoted { return PythonText.split(String(text.dropFirst().dropLast()), at: "', '") }
        return PythonText.split(text, at: ",").map {
            PythonText.stripped(LiteralReplacement.replacing("'", in: $0, with: ""))
        }
    }
}

/// Values separated by commas, with quotes, as Python's `csv` reads them.
struct CommaSeparated {
    private let quote: Unicode.Scalar

    /// - Throws: ``NodeError`` when the quote is not one character.
    init(quote: String) throws {
        guard quote.unicodeScalars.count == 1, let scalar = quote.unicodeScalars.first else {
            throw NodeError("input \"csv_quote_char\": \"\(quote)\" must be one character")
        }
        self.quote = scalar
    }

    /// The fields of all rows in order. A quote opens only at the start of a field; two in a quoted field stand for one.
    func fields(of text: String) -> [String] {
        var fields: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            var field = String.UnicodeScalarView()
            var (isQuoted, isStart) = (false, true)
            var scalars = Array(line.unicodeScalars)[...]
            while let scalar = scalars.popFirst() {
                if isQuoted {
                    if scalar != quote {
                        field.append(scalar)
                    } else if scalars.first == quote {
                        field.append(quote)
                        scalars.removeFirst()
                    } else {
                        isQuoted = false
                    }
                } else if scalar == quote && isStart {
                    isQuoted = true
                } else if scalar == "," {
                    fields.append(String(field))
                    field = String.UnicodeScalarView()
                    isStart = true
                    continue
                } else {
                    field.append(scalar)
                }
                isStart = false
            }
            fields.append(String(field))
        }
        return fields
    }
}
