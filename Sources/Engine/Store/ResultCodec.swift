import Diffusion
import JSON
import NodeKit
import Tensors

/// Results as JSON and tensors, and back.
struct ResultCodec: Sendable {
    let types: StorableTypes

    struct Encoded {
        /// By output, by value: `[form, content, number of tensors]`.
        var outputs: JSON
        /// Contiguous, in host memory.
        var tensors: [Tensor]
        var byteCount: Int { tensors.reduce(0) { $0 + $1.count * $1.dtype.byteCount } }
    }

    /// - Returns: `nil` when some value cannot be stored.
    func encode(_ outputs: [[any NodeValue]]) -> Encoded? {
        var tensors: [Tensor] = []
        var slots: [JSON] = []
        for slot in outputs {
            var values: [JSON] = []
            for value in slot {
                let value = (value as? AnyNodeValue)?.base ?? value
                guard let value = value as? any StorableValue, let content = content(of: value) else { return nil }
                for tensor in content.tensors {
                    guard unsafe tensor.storage.hostBytes != nil,
                        let contiguous = tensor.isContiguous ? tensor : try? tensor.converted(to: tensor.dtype)
                    else { return nil }
                    tensors.append(contiguous)
                }
                values.append(
                    .array([
                        .string(type(of: value).storedForm), content.json, .int(Int64(content.tensors.count)),
                    ]))
            }
            slots.append(.array(values))
        }
        return Encoded(outputs: .array(slots), tensors: tensors)
    }

    private func content(of value: some StorableValue) -> StoredContent? {
        // Only what would be read back as the same type.
        guard types.values[type(of: value).storedForm].map({ $0 == type(of: value) }) ?? false else { return nil }
        return value.stored(types)
    }

    /// - Returns: `nil` when something is no value of a known type.
    func decode(_ json: JSON, _ tensors: [Tensor]) -> [[any NodeValue]]? {
        guard let slots = json.arrayValue else { return nil }
        var rest = tensors[...]
        var outputs: [[any NodeValue]] = []
        for slot in slots {
            var values: [any NodeValue] = []
            for item in slot.arrayValue ?? [] {
                guard let type = item[0]?.stringValue.flatMap({ types.values[$0] }), let content = item[1],
                    let count = item[2]?.intValue, count >= 0, count <= rest.count,
                    let value = type.init(
                        stored: StoredContent(content, tensors: Array(rest.prefix(count))), types)
                else { return nil }
                rest = rest.dropFirst(count)
                values.append(value)
            }
            outputs.append(values)
        }
        return rest.isEmpty ? outputs : nil
    }
}
