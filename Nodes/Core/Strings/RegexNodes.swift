import JSON
import NodeKit

/// Whether a regular expression matches anywhere; one that is invalid matches nothing.
struct RegexMatch: Node {
    static let info = NodeInfo("RegexMatch", displayName: "Regex Match", category: "utils/string", style: .v3)

    @Input(.multiline) var string: String
    @Input(.multiline) var regexPattern: String
    @Input var caseInsensitive = true
    @Input var multiline = false
    @Input var dotall = false
    @Output("matches") var matches: Bool

    func run(_ context: NodeContext) async throws {
        let flags = regexFlags(caseInsensitive, multiline, dotall)
        matches = try (try? PythonPattern(regexPattern, flags: flags))?.firstMatch(in: string) != nil
    }
}

/// Matches of a regular expression or of one of its groups; "" where there are none.
struct RegexExtract: Node {
    static let info = NodeInfo("RegexExtract", displayName: "Regex Extract", category: "utils/string", style: .v3)

    @Input(.multiline) var string: String
    @Input(.multiline) var regexPattern: String
    @Input(.choices(["First Match", "All Matches", "First Group", "All Groups"])) var mode: String
    @Input var caseInsensitive = true
    @Input var multiline = false
    @Input var dotall = false
    @Input(.range(0...100)) var groupIndex = 1
    @Output var result: String

    func run(_ context: NodeContext) async throws {
        let flags = regexFlags(caseInsensitive, multiline, dotall)
        result = ""
        guard let pattern = try? PythonPattern(regexPattern, flags: flags) else {
            context.warn("the regular expression /\(regexPattern)/ cannot be used; the result is empty")
            return
        }
        func group(_ groups: [String?]) -> String? {
            groups.count > 1 && groups.indices.contains(groupIndex) ? groups[groupIndex] ?? "" : nil
        }
        switch mode {
        case "First Match": result = try pattern.firstMatch(in: string).flatMap { $0[0] } ?? ""
        case "First Group":
            // Group 0 is the whole match, also of a pattern without groups.
            result = try pattern.firstMatch(in: string).flatMap { groupIndex == 0 ? $0[0] : group($0) } ?? ""
        case "All Groups":
            result = try pattern.matches(in: string, check: context.checkCancellation).compactMap(group)
                .joined(separator: "\n")
        default:
            // Of a pattern with groups the first one is taken.
            result = try pattern.matches(in: string, check: context.checkCancellation)
                .map { ($0.count > 1 ? $0[1] : $0[0]) ?? "" }.joined(separator: "\n")
        }
    }
}

/// Matches of a regular expression replaced; \1 and \g<name> stand for groups.
struct RegexReplace: Node {
    static let info = NodeInfo("RegexReplace", displayName: "Regex Replace", category: "utils/string", style: .v3)

    @Input(.multiline) var string: String
    @Input(.multiline) var regexPattern: String
    @Input(.multiline) var replace: String
    @Input(.optional) var caseInsensitive = true
    @Input(.optional) var multiline = false
    @Input(.optional) var dotall = false
    @Input(.range(0...100), .optional) var count = 0
    @Output var result: String

    func run(_ context: NodeContext) async throws {
        let pattern = try PythonPattern(regexPattern, flags: regexFlags(caseInsensitive, multiline, dotall))
        try requireInRange(count, "count", 0...1_000_000)
        result = try pattern.replacing(
            in: string, with: PythonReplacement(replace), limit: count, check: context.checkCancellation)
    }
}

/// The letters of Python's inline flags.
private func regexFlags(_ ignoresCase: Bool, _ multiline: Bool, _ dotMatchesAll: Bool) -> String {
    (ignoresCase ? "i" : "") + (multiline ? "m" : "") + (dotMatchesAll ? "s" : "")
}
