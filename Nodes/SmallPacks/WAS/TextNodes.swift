import CoreNodes
import JSON
import NodeKit
import PackTools

/// Texts one after the other; empty ones are left out (pack-nodes.md §10).
struct WASTextConcatenate: Node {
    static let info = NodeInfo("Text Concatenate", category: "WAS Suite/Text")

    @Input(.tooltip("The two characters \\n mean a line feed.")) var delimiter = ", "
    @Input(.choices(["true", "false"])) var cleanWhitespace: String
    @Input(.forceInput) var textA: String?
    @Input(.forceInput) var textB: String?
    @Input(.forceInput) var textC: String?
    @Input(.forceInput) var textD: String?
    @Output("STRING") var result: String

    func run(_ context: NodeContext) async throws {
        let between = delimiter == "\\n" ? "\n" : delimiter
        let texts = [textA, textB, textC, textD].compactMap { $0 }.map {
            cleanWhitespace == "true" ? PythonText.stripped($0) : $0
        }
        result = texts.filter { !$0.isEmpty }.joined(separator: between)
    }
}

/// Every match of a regular expression replaced (pack-nodes.md §10).
struct WASTextFindAndReplace: Node {
    static let info = NodeInfo("Text Find and Replace", category: "WAS Suite/Text/Search")

    @Input(.forceInput) var text: String
    @Input(.tooltip("A regular expression in Python's syntax.")) var find = ""
    @Input var replace = ""
    @Output("result_text") var result: String
    @Output("replacement_count_number", type: "NUMBER") var number: Int
    @Output("replacement_count_float") var float: Double
    @Output("replacement_count_int") var int: Int

    func run(_ context: NodeContext) async throws {
        let pattern = try PythonPattern(find)
        let count = try pattern.matchCount(in: text)
        result = try pattern.replacing(in: text, with: PythonReplacement(replace))
        (number, float, int) = (count, Double(count), count)
    }
}

/// A text without the lines that start with # (pack-nodes.md §10).
struct WASTextMultiline: Node {
    static let info = NodeInfo("Text Multiline", category: "WAS Suite/Text")

    @Input(.multiline, .dynamicPrompts) var text = ""
    @Output("STRING") var result: String

    func run(_ context: NodeContext) async throws {
        result = PythonText.split(text, at: "\n").filter { !PythonText.stripped($0).hasPrefix("#") }
            .joined(separator: "\n")
    }
}
