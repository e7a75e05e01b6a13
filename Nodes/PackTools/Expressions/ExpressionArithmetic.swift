import Glibc

/// Python's operators on numbers of 64 bits.
enum ExpressionArithmetic {
    static func apply(
        _ operation: String, _ a: ExpressionNumber, _ b: ExpressionNumber
    ) throws(ExpressionError) -> ExpressionNumber {
        switch operation {
        case "+": return try exact(a, b, "+", { $0.addingReportingOverflow($1) }) ?? .real(a.double + b.double)
        case "-": return try exact(a, b, "-", { $0.subtractingReportingOverflow($1) }) ?? .real(a.double - b.double)
        case "*": return try exact(a, b, "*", { $0.multipliedReportingOverflow(by: $1) }) ?? .real(a.double * b.double)
        case "/":
            try requireDivisor(b)
            return .real(a.double / b.double)
        case "//":
            try requireDivisor(b)
            guard let x = a.whole, let y = b.whole else { return .real(floorDivision(a.double, b.double).quotient) }
            let (quotient, overflow) = x.dividedReportingOverflow(by: y)
            if overflow { throw tooLarge("\(x) // \(y)") }
            return .int(x % y != 0 && (x < 0) != (y < 0) ? quotient - 1 : quotient)
        case "%":
            try requireDivisor(b)
            guard let x = a.whole, let y = b.whole else { return .real(floorDivision(a.double, b.double).remainder) }
            // The one case in which `%` would trap.
            let remainder = y == -1 ? 0 : x % y
            return .int(remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder)
        case "&", "|", "^", "<<", ">>":
            guard let x = a.whole, let y = b.whole else {
                throw ExpressionError("\(operation) takes whole numbers, found \(a) and \(b)")
            }
            return .int(try bitwise(operation, x, y))
        default: throw ExpressionError("the operator \(operation) is unknown")
        }
    }

    static func prefix(_ mark: String, _ a: ExpressionNumber) throws(ExpressionError) -> ExpressionNumber {
        switch (mark, a.whole) {
        case ("+", let whole?): return .int(whole)
        case ("+", nil): return a
        case ("-", let whole?):
            guard whole != .min else { throw tooLarge("-(\(whole))") }
            return .int(-whole)
        case ("-", nil): return .real(-a.double)
        case ("~", let whole?): return .int(~whole)
        default: throw ExpressionError("\(mark) takes a whole number, found \(a)")
        }
    }

    static func compare(_ operation: String, _ a: ExpressionNumber, _ b: ExpressionNumber) -> Bool {
        if let x = a.whole, let y = b.whole { return holds(operation, x, y) }
        return holds(operation, a.double, b.double)
    }

    private static func holds<Value: Comparable>(_ operation: String, _ a: Value, _ b: Value) -> Bool {
        switch operation {
        case "==": a == b
        case "!=": a != b
        case "<": a < b
        case "<=": a <= b
        case ">": a > b
        default: a >= b
        }
    }

    /// By squaring, so at most 64 multiplications: an exponent can make no work.
    static func power(
        _ base: ExpressionNumber, _ exponent: ExpressionNumber
    ) throws(ExpressionError) -> ExpressionNumber {
        if let base = base.whole, let exponent = exponent.whole, exponent >= 0 {
            var (result, square, rest) = (1, base, exponent)
            while rest > 0 {
                if rest & 1 == 1 {
                    let (next, overflow) = result.multipliedReportingOverflow(by: square)
                    if overflow { throw tooLarge("\(base) ** \(exponent)") }
                    result = next
                }
                rest >>= 1
                // 0 and ±1 stay what they are however often they are squared; all others soon overflow.
                if rest > 0 {
                    let (next, overflow) = square.multipliedReportingOverflow(by: square)
                    if overflow { throw tooLarge("\(base) ** \(exponent)") }
                    square = next
                }
            }
            return .int(result)
        }
        let (x, y) = (base.double, exponent.double)
        if x == 0 && y < 0 { throw ExpressionError("0 cannot be raised to the negative power \(exponent)") }
        if x < 0 && y.isFinite && y != y.rounded() {
            throw ExpressionError("the negative number \(base) has no real power \(exponent)")
        }
        let result = pow(x, y)
        if result.isInfinite && x.isFinite && y.isFinite { throw tooLarge("\(base) ** \(exponent)") }
        return .real(result)
    }

    /// Python's floor division of reals, whose remainder has the sign of the divisor.
    private static func floorDivision(_ a: Double, _ b: Double) -> (quotient: Double, remainder: Double) {
        var remainder = fmod(a, b)
        var quotient = (a - remainder) / b
        if remainder == 0 {
            remainder = b < 0 ? -0.0 : 0
        } else if (remainder < 0) != (b < 0) {
            remainder += b
            quotient -= 1
        }
        let floored = quotient.rounded(.down)
        return (quotient - floored > 0.5 ? floored + 1 : floored, remainder)
    }

    private static func bitwise(_ operation: String, _ a: Int, _ b: Int) throws(ExpressionError) -> Int {
        switch operation {
        case "&": return a & b
        case "|": return a | b
        case "^": return a ^ b
        default:
            guard b >= 0 else { throw ExpressionError("a number cannot be shifted by \(b) bits") }
            if operation == ">>" { return a >> min(b, 63) }
            if a == 0 { return 0 }
            guard b < 63, (a << b) >> b == a else { throw tooLarge("\(a) << \(b)") }
            return a << b
        }
    }

    private static func exact(
        _ a: ExpressionNumber, _ b: ExpressionNumber, _ mark: String,
        _ operation: (Int, Int) -> (partialValue: Int, overflow: Bool)
    ) throws(ExpressionError) -> ExpressionNumber? {
        guard let x = a.whole, let y = b.whole else { return nil }
        let (result, overflow) = operation(x, y)
        if overflow { throw tooLarge("\(x) \(mark) \(y)") }
        return .int(result)
    }

    private static func requireDivisor(_ b: ExpressionNumber) throws(ExpressionError) {
        if b.double == 0 { throw ExpressionError("division by zero") }
    }

    private static func tooLarge(_ what: String) -> ExpressionError {
        ExpressionError("the result of \(what) does not fit in 64 bits")
    }
}
