import JSON
import NodeKit
import PackTools
import Tensors

/// The other of true and false (pack-nodes.md §10).
struct ImpactNeg: Node {
    static let info = NodeInfo("ImpactNeg", category: "ImpactPack/Logic")

    @Input(.forceInput) var value: Bool
    @Output("BOOLEAN") var result: Bool

    func run(_ context: NodeContext) async throws { result = !value }
}

/// A value as text, number, whole number and switch (pack-nodes.md §10).
struct ImpactConvertDataType: Node {
    static let info = NodeInfo("ImpactConvertDataType", category: "ImpactPack/Logic")

    @Input var value: AnyNodeValue
    @Output("STRING") var text: String
    @Output("FLOAT") var number: Double
    @Output("INT") var whole: Int
    @Output("BOOLEAN") var isTrue: Bool

    func run(_ context: NodeContext) async throws {
        text = describedValue(value)
        number = Self.number(text)
        whole = number.truncatedInt
        isTrue = number != 0
    }

    /// Digits with at most one dot and a sign; of other texts only "false" is 0.
    private static func number(_ text: String) -> Double {
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        let isNumber =
            digits.contains { $0.isASCII && $0.isNumber } && digits.count { $0 == "." } <= 1
            && digits.allSatisfy { $0 == "." || ($0.isASCII && $0.isNumber) }
        let padded = (text.hasPrefix("-") ? "-0" : "0") + digits + "0"
        if isNumber, let value = Double(digits.contains(".") ? padded : String(padded.dropLast())) { return value }
        return text.lowercased() == "false" ? 0 : 1
    }
}

/// 1 where the mask is above a threshold of 255, else 0 (pack-nodes.md §10).
struct ToBinaryMask: Node {
    static let info = NodeInfo("ToBinaryMask", category: "ImpactPack/Operation")

    @Input var mask: Mask
    @Input(.range(1...255)) var threshold = 20
    @Output("MASK") var result: Mask

    func run(_ context: NodeContext) async throws {
        let limit = Float(Double(threshold) / 255)
        result = Mask(try HostMath.map(mask.tensor) { $0 > limit ? 1 : 0 })
    }
}
