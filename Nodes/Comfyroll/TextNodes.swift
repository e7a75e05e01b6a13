import CoreNodes
import JSON
import NodeKit
import PackTools

/// A text (pack-nodes.md §4).
struct CRText: Node {
    static let info = NodeInfo("CR Text", displayName: "🔤 CR Text", category: "🧩 Comfyroll Studio/✨ Essential/🔤 Text")

    @Input(.multiline) var text = ""
    @Output("text") var result: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws { (result, help) = (text, helpText) }
}

/// A prompt.
struct CRPromptText: Node {
    static let info = NodeInfo(
        "CR Prompt Text", displayName: "⚙️ CR Prompt Text", category: "🧩 Comfyroll Studio/✨ Essential/📦 Core")

    @Input(.multiline) var prompt = "prompt"
    @Output("prompt") var result: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws { (result, help) = (prompt, helpText) }
}

/// Two texts with a separator between them.
struct CRTextConcatenate: Node {
    static let info = NodeInfo(
        "CR Text Concatenate", displayName: "🔤 CR Text Concatenate",
        category: "🧩 Comfyroll Studio/✨ Essential/🔤 Text")

    @Input(.optional, .forceInput) var text1 = ""
    @Input(.optional, .forceInput) var text2 = ""
    @Input(.optional) var separator = ""
    @Output("STRING", type: "*") var result: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws { (result, help) = (text1 + separator + text2, helpText) }
}

/// Three replacements, one after the other; an empty find inserts between all characters.
struct CRTextReplace: Node {
    static let info = NodeInfo(
        "CR Text Replace", displayName: "🔤 CR Text Replace", category: "🧩 Comfyroll Studio/✨ Essential/🔤 Text")

    @Input(.forceInput) var text: String
    @Input(.optional) var find1 = ""
    @Input(.optional) var replace1 = ""
    @Input(.optional) var find2 = ""
    @Input(.optional) var replace2 = ""
    @Input(.optional) var find3 = ""
    @Input(.optional) var replace3 = ""
    @Output("STRING", type: "*") var result: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        var text = text
        for (find, replacement) in [(find1, replace1), (find2, replace2), (find3, replace3)] {
            text = LiteralReplacement.replacing(find, in: text, with: replacement)
            guard text.utf8.count <= 1 << 26 else {
                throw NodeError("the replaced text is longer than 64 MiB; use shorter replacements")
            }
        }
        (result, help) = (text, helpText)
    }
}

/// The number of code points of a text.
struct CRTextLength: Node {
    static let info = NodeInfo(
        "CR Text Length", displayName: "🔤 CR Text Length", category: "🧩 Comfyroll Studio/✨ Essential/🔤 Text")

    @Input(.forceInput) var text: String
    @Output("INT") var length: Int
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws { (length, help) = (text.unicodeScalars.count, helpText) }
}

/// The first four parts of a text, without the white space around them.
struct CRSplitString: Node {
    static let info = NodeInfo(
        "CR Split String", displayName: "🔤 CR Split String", category: "🧩 Comfyroll Studio/✨ Essential/🔤 Text")

    @Input var text = "text"
    @Input(.optional) var delimiter = ","
    @Output("string_1", type: "*") var first: String
    @Output("string_2", type: "*") var second: String
    @Output("string_3", type: "*") var third: String
    @Output("string_4", type: "*") var fourth: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        guard !delimiter.isEmpty else { throw NodeError("input \"delimiter\": is empty; give a character to split at") }
        let parts = PythonText.split(text, at: delimiter).prefix(4).map(PythonText.stripped)
        func part(_ index: Int) -> String { parts.indices.contains(index) ? parts[index] : "" }
        (first, second, third, fourth, help) = (part(0), part(1), part(2), part(3), helpText)
    }
}

/// One character per element of a list.
struct CRBinaryToBitList: Node {
    static let info = NodeInfo(
        "CR Binary To Bit List", displayName: "🔢 CR Binary To Bit List",
        category: "🧩 Comfyroll Studio/✨ Essential/📜 List")

    @Input(.multiline) var bitString = ""
    @Output("STRING") var bits: [String]
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        (bits, help) = (bitString.unicodeScalars.map(String.init), helpText)
    }
}
