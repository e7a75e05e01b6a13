/// A number of an expression: whole numbers stay whole, as in Python, but have 64 bits.
public enum ExpressionNumber: Sendable, Hashable, CustomStringConvertible {
    case int(Int)
    case real(Double)
    /// What comparisons give in Python's dialect; counts as 1 or 0.
    case truth(Bool)

    public var double: Double {
        switch self {
        case .int(let value): Double(value)
        case .real(let value): value
        case .truth(let value): value ? 1 : 0
        }
    }

    /// The whole number, also of a truth value; `nil` for reals.
    var whole: Int? {
        switch self {
        case .int(let value): value
        case .real: nil
        case .truth(let value): value ? 1 : 0
        }
    }

    var isTrue: Bool { double != 0 }

    /// The value without its fraction, as Python's `int` gives it.
    ///
    /// - Throws: ``ExpressionError`` for NaN, infinities and what does not fit in 64 bits.
    public func truncated() throws(ExpressionError) -> Int {
        if let whole { return whole }
        guard let value = Int(exactly: double.rounded(.towardZero)) else {
            throw ExpressionError("\(double) cannot be made a whole number of 64 bits")
        }
        return value
    }

    /// As Python prints it.
    public var description: String {
        switch self {
        case .int(let value): String(value)
        case .real(let value): PythonText.number(value)
        case .truth(let value): value ? "True" : "False"
        }
    }
}

/// Why an expression has no value.
public struct ExpressionError: Error, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
