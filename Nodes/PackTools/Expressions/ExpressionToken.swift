/// A word of an expression.
enum ExpressionToken: Hashable {
    case number(ExpressionNumber)
    case name(String)
    /// An operator, bracket, comma or dot, or one of the words `and`, `or`, `not`, `if`, `else`.
    case mark(String)

    var text: String {
        switch self {
        case .number(let value): value.description
        case .name(let name), .mark(let name): name
        }
    }
}

/// Cuts an expression into words.
struct ExpressionScanner {
    private static let marks: [String] = [
        "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "~", "(", ")",
        ",", ".",
    ]
    private static let words: Set<String> = ["and", "or", "not", "if", "else"]

    private let scalars: [Unicode.Scalar]
    private var position = 0

    /// - Throws: ``ExpressionError`` for characters and numbers that no expression has.
    static func tokens(of text: String) throws(ExpressionError) -> [ExpressionToken] {
        var scanner = ExpressionScanner(scalars: Array(text.unicodeScalars))
        var tokens: [ExpressionToken] = []
        while let token = try scanner.next() { tokens.append(token) }
        return tokens
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private mutating func next() throws(ExpressionError) -> ExpressionToken? {
        while position < scalars.count, scalars[position].properties.isWhitespace { position += 1 }
        guard position < scalars.count else { return nil }
        let scalar = scalars[position]
        if isDigit(scalar) || (scalar == "." && position + 1 < scalars.count && isDigit(scalars[position + 1])) {
            return .number(try number())
        }
        if isLetter(scalar) {
            let name = take { isLetter($0) || isDigit($0) }
            switch name {
            case "True": return .number(.truth(true))
            case "False": return .number(.truth(false))
            default: return Self.words.contains(name) ? .mark(name) : .name(name)
            }
        }
        for mark in Self.marks where scalars[position...].starts(with: mark.unicodeScalars) {
            position += mark.unicodeScalars.count
            return .mark(mark)
        }
        throw ExpressionError("the character \"\(scalar)\" at position \(position + 1) has no meaning here")
    }

    /// A whole number (decimal, 0x, 0o, 0b) or a real one.
    private mutating func number() throws(ExpressionError) -> ExpressionNumber {
        let bases: [Unicode.Scalar: Int] = ["x": 16, "X": 16, "o": 8, "O": 8, "b": 2, "B": 2]
        if scalars[position] == "0", position + 1 < scalars.count, let base = bases[scalars[position + 1]] {
            position += 2
            return .int(try whole(take { isDigit($0) || isLetter($0) }, base: base))
        }
        var text = take(isDigitOrUnderscore)
        var isReal = false
        if position < scalars.count, scalars[position] == "." {
            isReal = true
            position += 1
            text += "." + take(isDigitOrUnderscore)
        }
        if position < scalars.count, scalars[position] == "e" || scalars[position] == "E" {
            var after = position + 1
            var sign = ""
            if after < scalars.count, scalars[after] == "+" || scalars[after] == "-" {
                sign = String(scalars[after])
                after += 1
            }
            if after < scalars.count, isDigit(scalars[after]) {
                isReal = true
                position = after
                text += "e" + sign + take(isDigitOrUnderscore)
            }
        }
        let digits = text.filter { $0 != "_" }
        guard isReal else { return .int(try whole(digits, base: 10)) }
        guard let value = Double(digits.hasPrefix(".") ? "0" + digits : digits) else {
            throw ExpressionError("\"\(text)\" is no number")
        }
        return .real(value)
    }

    private func whole(_ digits: String, base: Int) throws(ExpressionError) -> Int {
        let digits = digits.filter { $0 != "_" }
        if let value = Int(digits, radix: base) { return value }
        let isNumber = !digits.isEmpty && digits.allSatisfy { ($0.hexDigitValue ?? 99) < base }
        throw ExpressionError(
            isNumber ? "\(digits.prefix(30)) does not fit in 64 bits" : "\"\(digits.prefix(30))\" is no number")
    }

    private mutating func take(_ isPart: (Unicode.Scalar) -> Bool) -> String {
        var view = String.UnicodeScalarView()
        while position < scalars.count, isPart(scalars[position]) {
            view.append(scalars[position])
            position += 1
        }
        return String(view)
    }
}

private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
private func isDigitOrUnderscore(_ scalar: Unicode.Scalar) -> Bool { isDigit(scalar) || scalar == "_" }
private func isLetter(_ scalar: Unicode.Scalar) -> Bool { scalar == "_" || scalar.properties.isAlphabetic }
