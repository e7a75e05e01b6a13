/// An arithmetic expression in Python's syntax, as the math nodes of several packs take it (pack-nodes.md §5).
///
/// Whole numbers have 64 bits; what goes beyond is an error, so no text can make the evaluation long. Functions: abs,
/// ceil, float, floor, int, max, min, round, sqrt, sum, iif(condition, then, else), randomint(low, high) and
/// randomchoice(…).
public struct Expression {
    /// How truth values behave.
    public enum Dialect: Sendable {
        /// Python: `and` and `or` give an operand, comparisons `True` or `False`, and chains of them hold together.
        case python
        /// MathExpression: 1 and 0 everywhere; `and`, `or` look at two operands only and comparisons at the first.
        case mathExpression
    }
    /// Gives the value of a name (`a`) or of its member (`a.width`).
    public typealias Lookup = (_ name: String, _ member: String?) throws -> ExpressionNumber

    /// Longer texts are refused.
    public static let maximumLength = 10_000

    let tree: ExpressionTree
    private let dialect: Dialect

    /// - Throws: ``ExpressionError`` for a text that is no expression.
    public init(_ text: String, dialect: Dialect) throws(ExpressionError) {
        let length = text.unicodeScalars.count
        guard length <= Self.maximumLength else {
            throw ExpressionError("the expression has \(length) characters; \(Self.maximumLength) are allowed")
        }
        tree = try ExpressionParser.tree(of: text)
        self.dialect = dialect
    }

    /// - Throws: ``ExpressionError`` for what has no value, and what `lookup` throws.
    public func value(_ lookup: Lookup) throws -> ExpressionNumber { try value(tree, lookup) }

    private func value(_ tree: ExpressionTree, _ lookup: Lookup) throws -> ExpressionNumber {
        switch tree {
        case .number(let number): return number
        case .name(let name, let member): return try lookup(name, member)
        case .call(let name, let arguments): return try call(name, arguments, lookup)
        case .chain(let first, let rest):
            var result = try value(first, lookup)
            for (operation, operand) in rest {
                result = try ExpressionArithmetic.apply(operation, result, value(operand, lookup))
            }
            return result
        case .power(let base, let exponent):
            return try ExpressionArithmetic.power(value(base, lookup), value(exponent, lookup))
        case .prefix(let marks, let operand):
            var result = try value(operand, lookup)
            for mark in marks.reversed() {
                result = mark == "not" ? truth(!result.isTrue) : try ExpressionArithmetic.prefix(mark, result)
            }
            return result
        case .comparison(let first, let rest): return try compare(first, rest, lookup)
        case .all(let parts): return try connect(parts, stoppingAt: false, lookup)
        case .any(let parts): return try connect(parts, stoppingAt: true, lookup)
        case .choice(let condition, let then, let other):
            return try value(value(condition, lookup).isTrue ? then : other, lookup)
        }
    }

    private func truth(_ isTrue: Bool) -> ExpressionNumber {
        dialect == .python ? .truth(isTrue) : .int(isTrue ? 1 : 0)
    }

    private func compare(
        _ first: ExpressionTree, _ rest: [(operation: String, operand: ExpressionTree)], _ lookup: Lookup
    ) throws -> ExpressionNumber {
        var left = try value(first, lookup)
        for (operation, operand) in dialect == .python ? rest[...] : rest.prefix(1) {
            let right = try value(operand, lookup)
            if !ExpressionArithmetic.compare(operation, left, right) { return truth(false) }
            left = right
        }
        return truth(true)
    }

    private func connect(_ parts: [ExpressionTree], stoppingAt end: Bool, _ lookup: Lookup) throws -> ExpressionNumber {
        var last = ExpressionNumber.int(0)
        for part in dialect == .python ? parts[...] : parts.prefix(2) {
            last = try value(part, lookup)
            if last.isTrue == end { break }
        }
        return dialect == .python ? last : truth(last.isTrue)
    }

    private func call(_ name: String, _ arguments: [ExpressionTree], _ lookup: Lookup) throws -> ExpressionNumber {
        if name == "iif" {
            guard arguments.count == 3 else { throw ExpressionError("iif takes 3 values, found \(arguments.count)") }
            return try value(value(arguments[0], lookup).isTrue ? arguments[1] : arguments[2], lookup)
        }
        return try ExpressionFunctions.call(name, arguments.map { try value($0, lookup) })
    }
}
