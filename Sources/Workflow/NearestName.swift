/// Finds the known name that a mistyped one probably means.
public enum NearestName {
    /// Longer names are not compared.
    static let maximumLength = 256

    /// The candidate nearest to a name that is not among them, or `nil` when none is near.
    ///
    /// Case does not count. A candidate that differs only in its folder ("flux/ae.safetensors" for "ae.safetensors")
    /// is nearest; else the one with the fewest edits (insert, delete, replace, swap of neighbours), if they are at
    /// most a third of the longer name; else one that contains the name or is contained in it. The first of equals.
    public static func find(_ name: String, among candidates: some Sequence<String>) -> String? {
        // Before anything is copied: names out of files may have 50 MB.
        guard name.utf8.count <= 4 * maximumLength else { return nil }
        let wanted = Array(name.lowercased().unicodeScalars)
        guard (1...maximumLength).contains(wanted.count) else { return nil }
        let wantedFile = fileName(wanted)
        var best: (name: String, distance: Int)?
        var container: String?
        for candidate in candidates {
            let other = Array(candidate.lowercased().unicodeScalars)
            guard (1...maximumLength).contains(other.count) else { continue }
            if fileName(other) == wantedFile { return candidate }
            let limit = min(best.map { $0.distance - 1 } ?? .max, max(wanted.count, other.count) / 3)
            if limit >= 1, let distance = distance(wanted, other, limit: limit) { best = (candidate, distance) }
            let shorter = min(wanted.count, other.count)
            if container == nil, shorter >= 4, contains(wanted, other) || contains(other, wanted) {
                container = candidate
            }
        }
        return best?.name ?? container
    }

    /// ` (did you mean "…"?)`, or nothing.
    public static func hint(_ name: String, among candidates: some Sequence<String>) -> String {
        find(name, among: candidates).map { " (did you mean \"\($0)\"?)" } ?? ""
    }

    /// The number of edits between two texts, ignoring case: insertions, deletions, replacements and swaps of
    /// neighbours (Damerau and Levenshtein's distance in its "optimal string alignment" form).
    public static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.lowercased().unicodeScalars)
        let b = Array(b.lowercased().unicodeScalars)
        return distance(a, b, limit: .max) ?? max(a.count, b.count)
    }

    /// The distance if it is at most `limit`.
    private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar], limit: Int) -> Int? {
        if abs(a.count - b.count) > limit { return nil }
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        var row = last
        for i in 0..<a.count {
            row[0] = i + 1
            var smallest = row[0]
            for j in 0..<b.count {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row[j + 1] = cost
                smallest = min(smallest, cost)
            }
            if smallest > limit { return nil }
            (beforeLast, last, row) = (last, row, beforeLast)
        }
        return last[b.count] <= limit ? last[b.count] : nil
    }

    private static func fileName(_ name: [Unicode.Scalar]) -> ArraySlice<Unicode.Scalar> {
        name[(name.lastIndex { $0 == "/" || $0 == "\\" }.map { $0 + 1 } ?? 0)...]
    }

    private static func contains(_ text: [Unicode.Scalar], _ part: [Unicode.Scalar]) -> Bool {
        guard part.count <= text.count else { return false }
        return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
    }
}
