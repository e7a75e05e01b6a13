import JSON
import NodeKit

/// Part of a text by Python's rules: a negative number counts from the end.
struct StringSubstring: Node {
    static let info = NodeInfo("StringSubstring", displayName: "Substring", category: "utils/string", style: .v3)

    @Input(.multiline) var string: String
    @Input var start: Int
    @Input var end: Int
    @Output var result: String

    func run(_ context: NodeContext) async throws {
        result = PythonText.slice(string, from: start, to: end)
    }
}

/// Number of Unicode code points.
struct StringLength: Node {
    static let info = NodeInfo("StringLength", displayName: "Length", category: "utils/string", style: .v3)

    @Input(.multiline) var string: String
    @Output("length") var length: Int

    func run(_ context: NodeContext) async throws {
        length = string.unicodeScalars.count
    }
}

/// Upper, lower and title case.
struct CaseConverter: Node {
    static let info = NodeInfo("CaseConverter", displayName: "Case Converter", category: "utils/string", style: .v3)

    @Input(.multiline) var string: String
    @Input(.choices(["UPPERCASE", "lowercase", "Capitalize", "Title Case"])) var mode: String
    @Output var result: String

    func run(_ context: NodeContext) async throws {
        let letterCase: PythonText.Case = try choice(mode, "mode")
        result = letterCase.applied(to: string)
    }
}

/// A text without white space at its ends.
struct StringTrim: Node {
    static let info = NodeInfo("StringTrim", displayName: "Trim", category: "utils/string", style: .v3)

    @Input(.multiline) var string: String
    @Input(.choices(["Both", "Left", "Right"])) var mode: String
    @Output var result: String

    func run(_ context: NodeContext) async throws {
        result = PythonText.trimmed(string, left: mode != "Right", right: mode != "Left")
    }
}

/// Every occurrence of a text replaced.
struct StringReplace: Node {
    static let info = NodeInfo("StringReplace", displayName: "Replace", category: "utils/string", style: .v3)

    @Input(.multiline) var string: String
    @Input(.multiline) var find: String
    @Input(.multiline) var replace: String
    @Output var result: String

    func run(_ context: NodeContext) async throws {
        result = LiteralReplacement.replacing(find, in: string, with: replace)
    }
}

/// Whether a text is part of another.
struct StringContains: Node {
    static let info = NodeInfo("StringContains", displayName: "Contains", category: "utils/string", style: .v3)

    @Input(.multiline) var string: String
    @Input(.multiline) var substring: String
    @Input var caseSensitive = true
    @Output("contains") var contains: Bool

    func run(_ context: NodeContext) async throws {
        contains = PythonText.contains(
            caseSensitive ? string : string.lowercased(), caseSensitive ? substring : substring.lowercased())
    }
}

/// Whether texts are equal, or one is the beginning or end of the other.
struct StringCompare: Node {
    static let info = NodeInfo("StringCompare", displayName: "Compare", category: "utils/string", style: .v3)

    @Input(.multiline) var stringA: String
    @Input(.multiline) var stringB: String
    @Input(.choices(["Starts With", "Ends With", "Equal"])) var mode: String
    @Input var caseSensitive = true
    @Output var result: Bool

    func run(_ context: NodeContext) async throws {
        let texts = [stringA, stringB].map { Array((caseSensitive ? $0 : $0.lowercased()).unicodeScalars) }
        switch mode {
        case "Starts With": result = texts[0].starts(with: texts[1])
        case "Ends With": result = texts[0].reversed().starts(with: texts[1].reversed())
        default: result = texts[0] == texts[1]
        }
    }
}
