import JSON
public import NodeKit
import Tensors

/// A value as a line of text for people: numbers and texts as they are, others by type and shape.
public func describedValue(_ value: AnyNodeValue) -> String {
    switch value.base {
    case let text as String: text
    case let number as Double: PythonText.number(number)
    case let isTrue as Bool: isTrue ? "True" : "False"
    case let literal as any LiteralValue: literal.literal.text(.python)
    case let json as JSONNodeValue: json.json.text(.python)
    case let nested as AnyNodeValue: describedValue(nested)
    default:
        ([type(of: value.base).socketType]
            + value.base.exportedTensors.map { "\($0.suffix.isEmpty ? "" : $0.suffix + " ")\($0.tensor.shape)" })
            .joined(separator: " ")
    }
}
