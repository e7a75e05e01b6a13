import JSON
import NodeKit
import PackTools

/// A text as a number (pack-nodes.md §4): digits with at most one dot and a leading minus.
struct CRStringToNumber: Node {
    static let info = NodeInfo(
        "CR String To Number", displayName: "🔧 CR String To Number",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔧 Conversion")

    @Input(.forceInput) var text: String
    @Input(.choices(["round", "round down", "round up"])) var roundInteger: String
    @Output("INT") var whole: Int
    @Output("FLOAT") var number: Double
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let isNumber =
            digits.contains { $0.isASCII && $0.isNumber } && digits.count { $0 == "." } <= 1
            && digits.allSatisfy { $0 == "." || ($0.isASCII && $0.isNumber) }
        guard isNumber, let value = Double(padded(text)) else {
            throw NodeError("\"\(text.prefix(50))\" is no number; digits, one dot and a leading minus are understood")
        }
        guard abs(value) < 9.2e18 else { throw NodeError("\(text.prefix(50)) does not fit in 64 bits") }
        let truncated = Int(value)
        switch roundInteger {
        // The pack's own rounding, also of whole numbers: down is always below a negative number, up always above a
        // positive one.
        case "round down": whole = value < 0 ? truncated - 1 : truncated
        case "round up": whole = value < 0 ? truncated : value > 0 ? truncated + 1 : 0
        default: whole = value.roundedInt
        }
        (number, help) = (value, helpText)
    }

    /// ".5" and "5." as Swift reads them.
    private func padded(_ text: String) -> String {
        let isNegative = text.hasPrefix("-")
        return (isNegative ? "-0" : "0") + (isNegative ? text.dropFirst() : text[...])
            + (text.hasSuffix(".") ? "0" : "")
    }
}

/// The part of a text before the first comma, for a combo.
struct CRStringToCombo: Node {
    static let info = NodeInfo(
        "CR String To Combo", displayName: "🔧 CR String To Combo",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔧 Conversion")

    @Input(.forceInput) var text: String
    @Output("any", type: "*") var value: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        (value, help) = (PythonText.split(text, at: ",").first ?? "", helpText)
    }
}

/// "True" or "False" as a switch.
struct CRStringToBoolean: Node {
    static let info = NodeInfo(
        "CR String To Boolean", displayName: "🔧 CR String To Boolean",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔧 Conversion")

    @Input(.forceInput) var text: String
    @Output("BOOLEAN") var value: Bool
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        switch text {
        case "True", "true": value = true
        case "False", "false": value = false
        default: throw NodeError("\"\(text.prefix(50))\" is neither True nor False")
        }
        help = helpText
    }
}

/// A whole number as text.
struct CRIntegerToString: Node {
    static let info = NodeInfo(
        "CR Integer To String", displayName: "🔧 CR Integer To String",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔧 Conversion")

    @Input(.named("int_")) var number = 1
    @Output("STRING") var text: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws { (text, help) = (String(number), helpText) }
}

/// A number as text, as Python writes it: 1.0, 1e-05.
struct CRFloatToString: Node {
    static let info = NodeInfo(
        "CR Float To String", displayName: "🔧 CR Float To String",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔧 Conversion")

    @Input(.named("float_")) var number = 0.0
    @Output("STRING") var text: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws { (text, help) = (PythonText.number(number), helpText) }
}

/// A number without its fraction.
struct CRFloatToInteger: Node {
    static let info = NodeInfo(
        "CR Float To Integer", displayName: "🔧 CR Float To Integer",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔧 Conversion")

    @Input(.named("_float")) var number = 0.0
    @Output("INT") var whole: Int
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws { (whole, help) = (number.truncatedInt, helpText) }
}
