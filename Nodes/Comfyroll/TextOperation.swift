import CoreNodes
import NodeKit
import PackTools

/// What CR Text Operation does; the raw values are the names in workflows.
enum TextChange: String, CaseIterable {
    case uppercase, lowercase, capitalize
    case invertCase = "invert_case"
    case reverse, trim
    case removeSpaces = "remove_spaces"

    /// By code points, as Python does it.
    func callAsFunction(_ text: String) -> String {
        switch self {
        case .uppercase: return text.uppercased()
        case .lowercase: return text.lowercased()
        case .capitalize:
            guard let first = text.unicodeScalars.first else { return "" }
            return first.properties.titlecaseMapping + String(text.unicodeScalars.dropFirst()).lowercased()
        case .invertCase:
            return text.unicodeScalars.map { scalar in
                let properties = scalar.properties
                if properties.isUppercase { return properties.lowercaseMapping }
                return properties.isLowercase ? properties.uppercaseMapping : String(scalar)
            }.joined()
        case .reverse: return text.unicodeScalars.reversed().map(String.init).joined()
        case .trim: return PythonText.stripped(text)
        case .removeSpaces: return LiteralReplacement.replacing(" ", in: text, with: "")
        }
    }
}

/// A text in other letters or another order (pack-nodes.md §4).
struct CRTextOperation: Node {
    static let info = NodeInfo(
        "CR Text Operation", displayName: "🔤 CR Text Operation", category: "🧩 Comfyroll Studio/✨ Essential/🔤 Text")

    @Input(.forceInput) var text: String
    @Input(.choices(TextChange.allCases.map(\.rawValue))) var operation: String
    @Output("STRING", type: "*") var result: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        guard let change = TextChange(rawValue: operation) else {
            let known = TextChange.allCases.map(\.rawValue).joined(separator: ", ")
            throw NodeError("input \"operation\": \"\(operation)\" is unknown; use one of: \(known)")
        }
        (result, help) = (change(text), helpText)
    }
}
