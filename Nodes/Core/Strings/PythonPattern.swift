import NodeKit

/// A regular expression in Python's syntax, run by PCRE2 with a bound on its steps: no pattern keeps a run from ending.
public struct PythonPattern: Sendable {
    public let source: String
    private let compiled: CompiledPattern

    /// What a match found.
    public struct Match: Sendable {
        /// The whole match and the groups; `nil` for groups that took no part.
        public let groups: [String?]
        let range: Range<Int>
    }

    /// - Parameter flags: letters as in `(?ims)`.
    /// - Throws: ``NodeError`` for an invalid pattern.
    public init(_ source: String, flags: String = "") throws {
        self.source = source
        var options: CompiledPattern.Flags = []
        if flags.contains("i") { options.insert(.ignoresCase) }
        if flags.contains("m") { options.insert(.multiline) }
        if flags.contains("s") { options.insert(.dotMatchesAll) }
        if flags.contains("x") { options.insert(.extended) }
        do {
            compiled = try CompiledPattern(PythonPatternSyntax.translated(source), options)
        } catch {
            throw NodeError("the regular expression /\(source)/ cannot be used: \(error)")
        }
    }

    func group(named name: String) -> Int? { compiled.group(named: name) }

    /// Calls `body` with every match from left to right, until it answers no.
    ///
    /// An empty match may follow the one before it directly, as since Python 3.7.
    private func forEach(in text: String, _ check: () throws -> Void, _ body: (Match) throws -> Bool) throws {
        let bytes = Array(text.utf8)
        var start = 0
        var mayBeEmpty = true
        while let found = try find(bytes, start, mayBeEmpty), let range = found[0] {
            let groups = found.map { $0.map { String(decoding: bytes[$0], as: UTF8.self) } }
            guard try body(Match(groups: groups, range: range)) else { return }
            start = range.upperBound
            mayBeEmpty = !range.isEmpty
            try check()
        }
    }

    private func find(_ bytes: [UInt8], _ start: Int, _ mayBeEmpty: Bool) throws -> [Range<Int>?]? {
        do {
            return try compiled.find(in: bytes, from: start, mayBeEmpty: mayBeEmpty)
        } catch {
            throw NodeError("the regular expression /\(source)/: \(error)")
        }
    }

    /// The groups of every match from left to right, the whole match first; `nil` for groups that took no part.
    ///
    /// - Parameter check: called between matches; stops by throwing.
    /// - Throws: ``NodeError`` where the pattern takes too many steps.
    public func matches(in text: String, check: () throws -> Void = {}) throws -> [[String?]] {
        var all: [[String?]] = []
        try forEach(in: text, check) { match in
            all.append(match.groups)
            return true
        }
        return all
    }

    /// How many matches there are.
    public func matchCount(in text: String) throws -> Int { try matches(in: text).count }

    /// The groups of the first match.
    public func firstMatch(in text: String) throws -> [String?]? {
        var first: [String?]?
        try forEach(in: text, {}) { match in
            first = match.groups
            return false
        }
        return first
    }

    /// Every match, from left to right, replaced.
    ///
    /// - Parameters:
    ///   - limit: how many matches are replaced at most; 0 for all.
    ///   - check: called between matches; stops by throwing.
    /// - Throws: ``NodeError`` when the replacement names a group that the pattern does not have, or the pattern takes too
    ///   many steps.
    public func replacing(
        in text: String, with replacement: PythonReplacement, limit: Int = 0, check: () throws -> Void = {}
    ) throws -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var position = 0
        var count = 0
        try forEach(in: text, check) { match in
            out += bytes[position..<match.range.lowerBound]
            out += try replacement.text(for: match, of: self).utf8
            position = match.range.upperBound
            count += 1
            return limit <= 0 || count < limit
        }
        return String(decoding: out + bytes[position...], as: UTF8.self)
    }
}
