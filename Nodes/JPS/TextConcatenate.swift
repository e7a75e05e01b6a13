import NodeKit

/// Texts one after the other; empty ones are left out together with their delimiter (pack-nodes.md §1).
struct TextConcatenate: Node {
    static let info = NodeInfo("Text Concatenate (JPS)", category: "JPS Nodes/Text")

    @Input(.choices(["none", "space", "comma"]), .tooltip("What stands between two texts.")) var delimiter: String
    @Input(.forceInput) var text1: String?
    @Input(.forceInput) var text2: String?
    @Input(.forceInput) var text3: String?
    @Input(.forceInput) var text4: String?
    @Input(.forceInput) var text5: String?
    @Output("text") var text: String

    func run(_ context: NodeContext) async throws {
        let separator = ["none": "", "space": " ", "comma": ", "]
        guard let between = separator[delimiter] else {
            throw NodeError("delimiter \"\(delimiter)\" is unknown; use none, space or comma")
        }
        text = [text1, text2, text3, text4, text5].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: between)
    }
}
