public import NodeKit

/// The values of inputs that are called a name and a number ("image3"), in the order of the numbers.
///
/// - Throws: ``NodeError`` for a value of another type.
public func numbered<Value: NodeValue>(
    _ inputs: [String: any NodeValue], _ name: String, as type: Value.Type
) throws -> [(number: Int, value: Value)] {
    var found: [(number: Int, value: Value)] = []
    for (port, value) in inputs {
        guard port.hasPrefix(name), let number = Int(port.dropFirst(name.count)) else { continue }
        found.append((number, try Value.make(from: [value], port: port)))
    }
    return found.sorted { $0.number < $1.number }
}
