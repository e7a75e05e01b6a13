/// The functions of expressions.
enum ExpressionFunctions {
    static func call(_ name: String, _ values: [ExpressionNumber]) throws(ExpressionError) -> ExpressionNumber {
        switch name {
        case "min": return try least(name, values) { ExpressionArithmetic.compare("<", $0, $1) }
        case "max": return try least(name, values) { ExpressionArithmetic.compare(">", $0, $1) }
        case "sum":
            var total = ExpressionNumber.int(0)
            for value in values { total = try ExpressionArithmetic.apply("+", total, value) }
            return total
        case "round":
            try require(name, values, 1...2)
            return try rounded(values[0], places: values.count == 2 ? values[1] : nil)
        case "abs":
            try require(name, values, 1...1)
            return values[0].double < 0 ? try ExpressionArithmetic.prefix("-", values[0]) : values[0]
        case "int":
            try require(name, values, 1...1)
            return .int(try values[0].truncated())
        case "float":
            try require(name, values, 1...1)
            return .real(values[0].double)
        case "floor", "ceil":
            try require(name, values, 1...1)
            if let whole = values[0].whole { return .int(whole) }
            return .int(try ExpressionNumber.real(values[0].double.rounded(name == "floor" ? .down : .up)).truncated())
        case "sqrt":
            try require(name, values, 1...1)
            guard values[0].double >= 0 else { throw ExpressionError("\(values[0]) has no square root") }
            return .real(values[0].double.squareRoot())
        case "randomint":
            try require(name, values, 2...2)
            let (low, high) = (try values[0].truncated(), try values[1].truncated())
            guard low <= high else { throw ExpressionError("randomint: \(low) is above \(high)") }
            return .int(Int.random(in: low...high))
        case "randomchoice":
            guard let choice = values.randomElement() else { throw ExpressionError("randomchoice needs a value") }
            return choice
        default: throw ExpressionError("the function \(name) is unknown")
        }
    }

    /// The first of the values that no other precedes.
    private static func least(
        _ name: String, _ values: [ExpressionNumber], _ precedes: (ExpressionNumber, ExpressionNumber) -> Bool
    ) throws(ExpressionError) -> ExpressionNumber {
        guard var best = values.first else { throw ExpressionError("\(name) needs a value") }
        for value in values.dropFirst() where precedes(value, best) { best = value }
        return best
    }

    /// Halves go to the even neighbour; with places the decimal nearest to the number's exact value counts.
    private static func rounded(
        _ value: ExpressionNumber, places: ExpressionNumber?
    ) throws(ExpressionError) -> ExpressionNumber {
        guard let places else {
            if let whole = value.whole { return .int(whole) }
            return .int(try ExpressionNumber.real(value.double.rounded(.toNearestOrEven)).truncated())
        }
        guard let count = places.whole else { throw ExpressionError("round takes whole places, found \(places)") }
        guard let whole = value.whole else { return .real(PythonText.rounded(value.double, places: count)) }
        if count >= 0 { return .int(whole) }
        if count < -18 { return .int(0) }
        var unit = 1
        for _ in 0..<(-count) { unit *= 10 }
        let floored = whole - (whole % unit + unit) % unit
        // `floored` may lie below the smallest number, `floored + unit` above the largest.
        guard whole >= .min + unit, whole <= .max - unit else {
            throw ExpressionError("the result of round(\(whole), \(count)) does not fit in 64 bits")
        }
        let rest = whole - floored
        let isUp = rest * 2 > unit || (rest * 2 == unit && (floored / unit) % 2 != 0)
        return .int(isUp ? floored + unit : floored)
    }

    private static func require(
        _ name: String, _ values: [ExpressionNumber], _ counts: ClosedRange<Int>
    ) throws(ExpressionError) {
        guard counts.contains(values.count) else {
            throw ExpressionError(
                "\(name) takes \(counts.count == 1 ? "\(counts.lowerBound)" : "\(counts.lowerBound) to \(counts.upperBound)") "
                    + "values, found \(values.count)")
        }
    }
}
