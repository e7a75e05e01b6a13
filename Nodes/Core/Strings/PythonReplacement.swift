import NodeKit

/// The replacement text of a regular expression in Python's syntax: `\1`, `\g<1>`, `\g<name>`, `\n`, `\\`, octal.
public struct PythonReplacement {
    private enum Part {
        case text(String)
        case group(Int)
        case name(String)
    }
    private let parts: [Part]

    /// - Throws: ``NodeError`` for escapes that Python rejects.
    public init(_ source: String) throws {
        var parts: [Part] = []
        var literal = ""
        var rest = Array(source.unicodeScalars)[...]
        while let character = rest.popFirst() {
            guard character == "\\" else {
                literal.unicodeScalars.append(character)
                continue
            }
            guard let escaped = rest.popFirst() else {
                throw NodeError("the replacement \(source.debugDescription) ends in a single backslash; write \\\\")
            }
            if let plain = Self.plainEscapes[escaped] {
                literal += plain
            } else if escaped == "g" {
                parts += [.text(literal), try Self.reference(&rest, source)]
                literal = ""
            } else if Self.isDigit(escaped) {
                switch Self.number(escaped, &rest) {
                case .text(let text): literal += text
                case let group:
                    parts += [.text(literal), group]
                    literal = ""
                }
            } else if escaped.isASCII, escaped.properties.isAlphabetic {
                throw NodeError("the replacement \(source.debugDescription) has the unknown escape \\\(escaped)")
            } else {
                literal += "\\\(escaped)"
            }
        }
        self.parts = parts + [.text(literal)]
    }

    /// The text that replaces a match; a group that took no part is empty.
    ///
    /// - Throws: ``NodeError`` when the pattern has no such group.
    func text(for match: PythonPattern.Match, of pattern: PythonPattern) throws -> String {
        let groups = match.groups
        var out = ""
        for part in parts {
            switch part {
            case .text(let text): out += text
            case .group(let number):
                guard number < groups.count else {
                    throw NodeError("the replacement uses group \(number), /\(pattern.source)/ has \(groups.count - 1)")
                }
                out += groups[number] ?? ""
            case .name(let name):
                guard let number = pattern.group(named: name) else {
                    throw NodeError(
                        "the replacement uses group \"\(name)\", which /\(pattern.source)/ does not have")
                }
                out += groups[number] ?? ""
            }
        }
        return out
    }

    private static let plainEscapes: [Unicode.Scalar: String] = [
        "\\": "\\", "n": "\n", "t": "\t", "r": "\r", "f": "\u{c}", "v": "\u{b}", "a": "\u{7}", "b": "\u{8}",
    ]

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    private static func isOctal(_ scalar: Unicode.Scalar) -> Bool { ("0"..."7").contains(scalar) }

    /// `\0…` and three octal digits are a character, other one or two digits a group.
    private static func number(_ first: Unicode.Scalar, _ rest: inout ArraySlice<Unicode.Scalar>) -> Part {
        var digits = String(first)
        let octal = rest.prefix(2).prefix(while: isOctal)
        if first == "0" || (isOctal(first) && octal.count == 2) {
            for digit in octal { digits.unicodeScalars.append(digit) }
            rest = rest.dropFirst(octal.count)
            let scalar = UInt32(digits, radix: 8).flatMap { Unicode.Scalar($0 & 0xFF) } ?? "\0"
            return .text(String(scalar))
        }
        if let second = rest.first, isDigit(second) {
            digits.unicodeScalars.append(second)
            rest.removeFirst()
        }
        return .group(Int(digits) ?? 0)
    }

    /// `<1>` or `<name>` behind `\g`.
    private static func reference(_ rest: inout ArraySlice<Unicode.Scalar>, _ source: String) throws -> Part {
        guard rest.popFirst() == "<", let end = rest.firstIndex(of: ">"), end > rest.startIndex else {
            throw NodeError("the replacement \(source.debugDescription) has a \\g without <group>")
        }
        var name = ""
        for scalar in rest[..<end] { name.unicodeScalars.append(scalar) }
        rest = rest[(end + 1)...]
        return Int(name).map { .group($0) } ?? .name(name)
    }
}
