/// A parsed expression. Chains of operators of one rank are flat lists, so that a tree is only as deep as its brackets.
indirect enum ExpressionTree {
    case number(ExpressionNumber)
    /// `a`, or `a.width`.
    case name(String, member: String?)
    case call(String, [ExpressionTree])
    /// From left to right: + - * / // % << >> & ^ |
    case chain(ExpressionTree, [(operation: String, operand: ExpressionTree)])
    case power(ExpressionTree, ExpressionTree)
    /// + - ~ not, the outermost first.
    case prefix([String], ExpressionTree)
    case comparison(ExpressionTree, [(operation: String, operand: ExpressionTree)])
    case all([ExpressionTree])
    case any([ExpressionTree])
    /// `then if condition else other`
    case choice(condition: ExpressionTree, then: ExpressionTree, other: ExpressionTree)
}

/// Makes a tree of the words of an expression, by Python's ranks of operators.
struct ExpressionParser {
    /// Brackets, powers and conditions inside each other.
    private static let maximumDepth = 50

    private let tokens: [ExpressionToken]
    private var position = 0
    private var depth = 0

    /// - Throws: ``ExpressionError`` naming the word that does not fit.
    static func tree(of text: String) throws(ExpressionError) -> ExpressionTree {
        var parser = ExpressionParser(tokens: try ExpressionScanner.tokens(of: text))
        let tree = try parser.expression()
        if parser.position < parser.tokens.count { throw parser.unexpected() }
        return tree
    }

    private init(tokens: [ExpressionToken]) { self.tokens = tokens }

    private mutating func nested<Result>(
        _ body: (inout ExpressionParser) throws(ExpressionError) -> Result
    ) throws(ExpressionError) -> Result {
        guard depth < Self.maximumDepth else {
            throw ExpressionError("the expression is nested more than \(Self.maximumDepth) levels deep")
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    private mutating func expression() throws(ExpressionError) -> ExpressionTree {
        try nested { parser throws(ExpressionError) in
            let value = try parser.disjunction()
            guard parser.take("if") != nil else { return value }
            let condition = try parser.disjunction()
            guard parser.take("else") != nil else { throw parser.unexpected("\"else\"") }
            return .choice(condition: condition, then: value, other: try parser.expression())
        }
    }

    private mutating func disjunction() throws(ExpressionError) -> ExpressionTree {
        var parts = [try conjunction()]
        while take("or") != nil { parts.append(try conjunction()) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction() throws(ExpressionError) -> ExpressionTree {
        var parts = [try negation()]
        while take("and") != nil { parts.append(try negation()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func negation() throws(ExpressionError) -> ExpressionTree {
        var marks: [String] = []
        while let mark = take("not") { marks.append(mark) }
        let operand = try comparison()
        return marks.isEmpty ? operand : .prefix(marks, operand)
    }

    private mutating func comparison() throws(ExpressionError) -> ExpressionTree {
        let first = try ranked(0)
        var rest: [(String, ExpressionTree)] = []
        while let mark = take("==", "!=", "<=", ">=", "<", ">") { rest.append((mark, try ranked(0))) }
        return rest.isEmpty ? first : .comparison(first, rest)
    }

    /// Operators that are worked off from left to right, the weakest first.
    private static let ranks: [[String]] = [["|"], ["^"], ["&"], ["<<", ">>"], ["+", "-"], ["*", "/", "//", "%"]]

    private mutating func ranked(_ rank: Int) throws(ExpressionError) -> ExpressionTree {
        guard rank < Self.ranks.count else { return try signed() }
        let first = try ranked(rank + 1)
        var rest: [(String, ExpressionTree)] = []
        while let mark = take(Self.ranks[rank]) { rest.append((mark, try ranked(rank + 1))) }
        return rest.isEmpty ? first : .chain(first, rest)
    }

    private mutating func signed() throws(ExpressionError) -> ExpressionTree {
        var marks: [String] = []
        while let mark = take("-", "+", "~") { marks.append(mark) }
        let operand = try power()
        return marks.isEmpty ? operand : .prefix(marks, operand)
    }

    private mutating func power() throws(ExpressionError) -> ExpressionTree {
        let base = try atom()
        guard take("**") != nil else { return base }
        return .power(base, try nested { parser throws(ExpressionError) in try parser.signed() })
    }

    private mutating func atom() throws(ExpressionError) -> ExpressionTree {
        guard position < tokens.count else { throw unexpected() }
        switch tokens[position] {
        case .number(let value):
            position += 1
            return .number(value)
        case .name(let name):
            position += 1
            if take("(") != nil { return .call(name, try arguments()) }
            guard take(".") != nil else { return .name(name, member: nil) }
            guard position < tokens.count, case .name(let member) = tokens[position] else {
                throw unexpected("a name")
            }
            position += 1
            return .name(name, member: member)
        case .mark("("):
            position += 1
            let inner = try expression()
            guard take(")") != nil else { throw unexpected("\")\"") }
            return inner
        case .mark: throw unexpected("a value")
        }
    }

    /// What stands between the brackets of a call; "(" has been taken.
    private mutating func arguments() throws(ExpressionError) -> [ExpressionTree] {
        if take(")") != nil { return [] }
        var list = [try expression()]
        while take(",") != nil {
            if take(")") != nil { return list }
            list.append(try expression())
        }
        guard take(")") != nil else { throw unexpected("\")\" or \",\"") }
        return list
    }

    private mutating func take(_ marks: String...) -> String? { take(marks) }

    private mutating func take(_ marks: [String]) -> String? {
        guard position < tokens.count, case .mark(let mark) = tokens[position], marks.contains(mark) else { return nil }
        position += 1
        return mark
    }

    private func unexpected(_ wanted: String? = nil) -> ExpressionError {
        let found = position < tokens.count ? "\"\(tokens[position].text)\"" : "the end"
        return ExpressionError("found \(found)" + (wanted.map { ", expected \($0)" } ?? " where it does not belong"))
    }
}
