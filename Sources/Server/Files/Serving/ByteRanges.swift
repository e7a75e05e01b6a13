/// A `Range` header (RFC 9110 §14) applied to a file.
enum ByteRanges: Equatable {
    /// The whole file: no header, one that is not understood, or several ranges (a server may ignore them).
    case whole
    case part(Range<Int>)
    /// 416: no byte of the file lies in the range.
    case unsatisfiable

    init(_ header: String?, byteCount: Int) {
        self = header.flatMap { Self.parse($0, byteCount) } ?? .whole
    }

    private static func parse(_ header: String, _ byteCount: Int) -> ByteRanges? {
        let text = header.filter { $0 != " " && $0 != "\t" }
        guard text.lowercased().hasPrefix("bytes="), !text.contains(",") else { return nil }
        let bounds = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, bounds.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return nil
        }
        if bounds[0].isEmpty {
            // The last bytes.
            guard !bounds[1].isEmpty else { return nil }
            let count = Swift.min(Int(bounds[1]) ?? .max, byteCount)
            return count > 0 ? .part(byteCount - count..<byteCount) : .unsatisfiable
        }
        // Numbers beyond Int lie beyond every file.
        let first = Int(bounds[0]) ?? .max
        let last = bounds[1].isEmpty ? Int.max : Int(bounds[1]) ?? .max
        guard first <= last else { return nil }
        guard first < byteCount else { return .unsatisfiable }
        return .part(first..<Swift.min(last, byteCount - 1) + 1)
    }
}
