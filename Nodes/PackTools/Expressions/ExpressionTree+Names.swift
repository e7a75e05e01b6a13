extension ExpressionTree {
    /// Every name that the expression asks for.
    var names: [(name: String, member: String?)] {
        switch self {
        case .number: []
        case .name(let name, let member): [(name, member)]
        case .call(_, let arguments): arguments.flatMap(\.names)
        case .chain(let first, let rest), .comparison(let first, let rest):
            first.names + rest.flatMap { $0.operand.names }
        case .power(let a, let b): a.names + b.names
        case .prefix(_, let operand): operand.names
        case .all(let parts), .any(let parts): parts.flatMap(\.names)
        case .choice(let condition, let then, let other): condition.names + then.names + other.names
        }
    }
}

extension Expression {
    /// Every name that the expression asks for, with its member, in the order of the text.
    public var names: [(name: String, member: String?)] { tree.names }
}
