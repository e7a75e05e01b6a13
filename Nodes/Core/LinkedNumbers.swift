import NodeKit

/// Checks a number that may have come over a link: validation holds only constants to a node's limits.
///
/// - Throws: ``NodeError`` naming the input, the number and what is allowed.
public func requireInRange(_ value: Int, _ input: String, _ range: ClosedRange<Int>) throws {
    guard range.contains(value) else {
        throw NodeError(
            "input \"\(input)\": \(value) is outside the allowed range \(range.lowerBound) to \(range.upperBound)")
    }
}
