extension TextPattern {
    /// Reads a pattern into its syntax.
    struct Parser {
        var rest: ArraySlice<Unicode.Scalar>
        /// Deeper groups are refused.
        static let maximumDepth = 50

        static func isWord(_ scalar: Unicode.Scalar) -> Bool { word.matches(scalar) }

        private static let digit = Matcher(ranges: [0x30...0x39])
        private static let word = Matcher(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
        private static let space = Matcher(ranges: [0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x2028...0x2029])
        private static let anything = Matcher(ranges: [0x0A...0x0A, 0x0D...0x0D], isNegated: true)

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard rest.first == scalar else { return false }
            rest.removeFirst()
            return true
        }

        mutating func choice(depth: Int) -> Syntax? {
            guard depth <= Self.maximumDepth else { return nil }
            var parts: [Syntax] = []
            repeat {
                guard let part = sequence(depth: depth) else { return nil }
                parts.append(part)
            } while take("|")
            return parts.count == 1 ? parts[0] : .choice(parts)
        }

        private mutating func sequence(depth: Int) -> Syntax? {
            var parts: [Syntax] = []
            while let next = rest.first, next != "|", next != ")" {
                guard let atom = atom(depth: depth), let repeated = repetition(of: atom) else { return nil }
                parts.append(repeated)
            }
            return parts.isEmpty ? .empty : .sequence(parts)
        }

        private mutating func repetition(of atom: Syntax) -> Syntax? {
            var result = atom
            if take("*") {
                result = .repetition(atom, least: 0, most: nil)
            } else if take("+") {
                result = .repetition(atom, least: 1, most: nil)
            } else if take("?") {
                result = .repetition(atom, least: 0, most: 1)
            } else if rest.first == "{", let counts = counts() {
                guard counts.least <= 100, counts.most ?? 0 <= 100 else { return nil }
                result = .repetition(atom, least: counts.least, most: counts.most)
            } else {
                return result
            }
            _ = take("?")
            if let next = rest.first, "*+?".unicodeScalars.contains(next) { return nil }
            return result
        }

        /// `{m}`, `{m,}` or `{m,n}`; anything else is a plain brace.
        private mutating func counts() -> (least: Int, most: Int?)? {
            guard let end = rest.firstIndex(of: "}") else { return nil }
            let text = String(String.UnicodeScalarView(rest[(rest.startIndex + 1)..<end]))
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            guard (1...2).contains(parts.count), let least = Int(parts[0]), least >= 0 else { return nil }
            var most: Int? = least
            if parts.count == 2 {
                most = nil
                if !parts[1].isEmpty {
                    guard let number = Int(parts[1]), number >= least else { return nil }
                    most = number
                }
            }
            rest = rest[(end + 1)...]
            return (least, most)
        }

        private mutating func atom(depth: Int) -> Syntax? {
            guard let first = rest.popFirst() else { return nil }
            switch first {
            case ".": return .character(Self.anything)
            case "^": return .assertion(.start)
            case "$": return .assertion(.end)
            case "[": return set().map { .character($0) }
            case "(":
                if take("?"), !take(":") { return nil }
                guard let inner = choice(depth: depth + 1), take(")") else { return nil }
                return inner
            case "*", "+", "?": return nil
            case "\\":
                guard let next = rest.first else { return nil }
                switch next {
                case "b":
                    rest.removeFirst()
                    return .assertion(.wordBoundary)
                case "B":
                    rest.removeFirst()
                    return .assertion(.noWordBoundary)
                case "0"..."9", "k": return nil
                default: return escape().map { .character($0) }
                }
            default: return .character(Matcher(ranges: [first.value...first.value]))
            }
        }

        /// What follows a backslash.
        private mutating func escape() -> Matcher? {
            guard let scalar = rest.popFirst() else { return nil }
            func negated(_ matcher: Matcher) -> Matcher { Matcher(ranges: matcher.ranges, isNegated: true) }
            switch scalar {
            case "d": return Self.digit
            case "D": return negated(Self.digit)
            case "w": return Self.word
            case "W": return negated(Self.word)
            case "s": return Self.space
            case "S": return negated(Self.space)
            case "n": return Matcher(ranges: [0x0A...0x0A])
            case "r": return Matcher(ranges: [0x0D...0x0D])
            case "t": return Matcher(ranges: [0x09...0x09])
            case "x", "u", "c", "p", "P": return nil
            default: return Matcher(ranges: [scalar.value...scalar.value])
            }
        }

        /// The inside of `[…]`.
        private mutating func set() -> Matcher? {
            var result = Matcher(ranges: [])
            result.isNegated = take("^")
            while let next = rest.popFirst() {
                if next == "]" { return result }
                var lower = next.value
                if next == "\\" {
                    guard let escaped = escape(), !escaped.isNegated else { return nil }
                    guard escaped.ranges.count == 1, let range = escaped.ranges.first, range.count == 1 else {
                        result.ranges += escaped.ranges
                        continue
                    }
                    lower = range.lowerBound
                }
                guard rest.first == "-", let last = rest.dropFirst().first, last != "]" else {
                    result.ranges.append(lower...lower)
                    continue
                }
                rest = rest.dropFirst(2)
                var upper = last.value
                if last == "\\" {
                    guard let escaped = escape(), let range = escaped.ranges.first, range.count == 1 else { return nil }
                    upper = range.lowerBound
                }
                guard lower <= upper else { return nil }
                result.ranges.append(lower...upper)
            }
            return nil
        }
    }
}
