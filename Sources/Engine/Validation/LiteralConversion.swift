import JSON
import NodeKit

/// Why a constant cannot be read as the declared type.
struct LiteralFault: Error {
    var message: String
}

/// A constant converted to one of the four literal types; of another type, the constant itself (engine-semantics.md
/// §3.2).
///
/// - Throws: ``LiteralFault``, also for NaN and infinities, which no node expects.
func convertLiteral(_ json: JSON, to type: String) throws(LiteralFault) -> JSON {
    switch type {
    case "INT":
        if case .int = json { return json }
        // Seeds fill 64 bits without sign.
        if case .string(let text) = json, text.first(where: { !$0.isWhitespace }) != "-",
            let value = UInt64(literal: json)
        {
            return value.literal
        }
        if case .double(let value) = json, value > 0, let unsigned = UInt64(literal: json) { return unsigned.literal }
        if case .uint = json { return json }
        guard let value = Int(literal: json) else { throw LiteralFault(message: "not an integer") }
        return value.literal
    case "FLOAT":
        guard let value = Double(literal: json) else { throw LiteralFault(message: "not a number") }
        guard value.isFinite else { throw LiteralFault(message: "not a finite number") }
        return .double(value)
    case "STRING":
        if case .string = json { return json }
        guard let value = String(literal: json) else { throw LiteralFault(message: "not a text") }
        return .string(value)
    case "BOOLEAN":
        guard let value = Bool(literal: json) else { throw LiteralFault(message: "not a boolean") }
        return .bool(value)
    default:
        return json
    }
}

/// Whether the number `a` is smaller than `b`, exactly for integers of 64 bits; `false` if one is no number.
func isSmaller(_ a: JSON, _ b: JSON) -> Bool {
    switch (a, b) {
    case (.int(let x), .int(let y)): return x < y
    case (.uint(let x), .uint(let y)): return x < y
    case (.int, .uint): return true
    case (.uint, .int): return false
    default:
        guard let x = a.doubleValue, let y = b.doubleValue else { return false }
        return x < y
    }
}
