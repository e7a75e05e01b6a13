/// A small regular-expression matcher for patterns that stand in workflow files.
///
/// Time grows with pattern length times text length, never faster, so that a hostile pattern cannot stop the program
/// (Thompson's simulation of an automaton). Knows literals, `.`, classes, groups, `|`, `* + ? {m,n}` (greedy or lazy:
/// the same for a search), `^ $ \b \B \d \D \w \W \s \S` and escapes; look-around and back-references are refused.
struct TextPattern {
    /// The most instructions a pattern may compile to.
    static let maximumSize = 1000
    /// Texts are searched up to here.
    static let maximumText = 1000

    indirect enum Syntax {
        case empty
        case character(Matcher)
        case assertion(Assertion)
        case sequence([Syntax])
        case choice([Syntax])
        case repetition(Syntax, least: Int, most: Int?)
    }

    struct Matcher {
        var ranges: [ClosedRange<UInt32>]
        var isNegated = false

        func matches(_ scalar: Unicode.Scalar) -> Bool {
            ranges.contains { $0.contains(scalar.value) } != isNegated
        }
    }

    enum Assertion {
        case start, end, wordBoundary, noWordBoundary
    }

    private enum Instruction {
        case match
        case character(Matcher)
        case assertion(Assertion)
        case jump(Int)
        case split(Int, Int)
    }

    private var program: [Instruction] = []
    private var work = 0

    /// Compiles a pattern; `nil` when it is not one of the known forms, or too large.
    init?(_ pattern: String) {
        var parser = Parser(rest: Array(pattern.unicodeScalars)[...])
        guard let syntax = parser.choice(depth: 0), parser.rest.isEmpty else { return nil }
        guard compile(syntax) else { return nil }
        program.append(.match)
    }

    /// About how much work a search in a text is.
    func cost(_ text: String) -> Int { program.count * min(text.utf8.count + 1, Self.maximumText) }

    /// Whether the pattern matches anywhere in a text.
    func isFound(in text: String) -> Bool {
        let scalars = Array(text.unicodeScalars.prefix(Self.maximumText))
        var current = States(program.count)
        var following = States(program.count)
        for position in 0...scalars.count {
            // A match may begin anywhere.
            if add(0, to: &current, scalars, position) { return true }
            following.removeAll()
            if position < scalars.count {
                for state in current.members {
                    if case .character(let matcher) = program[state], matcher.matches(scalars[position]),
                        add(state + 1, to: &following, scalars, position + 1)
                    {
                        return true
                    }
                }
            }
            swap(&current, &following)
        }
        return false
    }

    /// Adds a state and all that follow from it without reading; tells whether the end is among them.
    private func add(_ state: Int, to states: inout States, _ text: [Unicode.Scalar], _ position: Int) -> Bool {
        var pending = [state]
        while let state = pending.popLast() {
            guard states.insert(state) else { continue }
            switch program[state] {
            case .match: return true
            case .character: break
            case .jump(let target): pending.append(target)
            case .split(let first, let second): pending += [second, first]
            case .assertion(let assertion):
                if holds(assertion, text, position) { pending.append(state + 1) }
            }
        }
        return false
    }

    private func holds(_ assertion: Assertion, _ text: [Unicode.Scalar], _ position: Int) -> Bool {
        let before = position > 0 && Parser.isWord(text[position - 1])
        let after = position < text.count && Parser.isWord(text[position])
        return switch assertion {
        case .start: position == 0
        case .end: position == text.count
        case .wordBoundary: before != after
        case .noWordBoundary: before == after
        }
    }

    private mutating func compile(_ syntax: Syntax) -> Bool {
        work += 1
        guard program.count <= Self.maximumSize, work <= 10 * Self.maximumSize else { return false }
        switch syntax {
        case .empty: return true
        case .character(let matcher): program.append(.character(matcher))
        case .assertion(let assertion): program.append(.assertion(assertion))
        case .sequence(let parts): return parts.allSatisfy { compile($0) }
        case .choice(let parts):
            var exits: [Int] = []
            for (index, part) in parts.enumerated() {
                let split = program.count
                if index < parts.count - 1 { program.append(.split(split + 1, 0)) }
                guard compile(part) else { return false }
                if index < parts.count - 1 {
                    exits.append(program.count)
                    program.append(.jump(0))
                    program[split] = .split(split + 1, program.count)
                }
            }
            for exit in exits { program[exit] = .jump(program.count) }
        case .repetition(let part, let least, let most):
            for _ in 0..<least { guard compile(part) else { return false } }
            guard let most else {
                let loop = program.count
                program.append(.split(loop + 1, 0))
                guard compile(part) else { return false }
                program.append(.jump(loop))
                program[loop] = .split(loop + 1, program.count)
                return program.count <= Self.maximumSize
            }
            var skips: [Int] = []
            for _ in least..<max(least, most) {
                skips.append(program.count)
                program.append(.split(program.count + 1, 0))
                guard compile(part) else { return false }
            }
            for skip in skips { program[skip] = .split(skip + 1, program.count) }
        }
        return program.count <= Self.maximumSize
    }

    /// A set of program positions in order of insertion.
    private struct States {
        private(set) var members: [Int] = []
        private var isMember: [Bool]

        init(_ count: Int) { isMember = Array(repeating: false, count: count) }

        mutating func insert(_ state: Int) -> Bool {
            if isMember[state] { return false }
            isMember[state] = true
            members.append(state)
            return true
        }

        mutating func removeAll() {
            for state in members { isMember[state] = false }
            members.removeAll(keepingCapacity: true)
        }
    }
}
