/// Bounds on the size of a workflow, checked before anything is built from its text: a value of a file takes a hundred
/// bytes and more in memory, however few it has in the file.
enum WorkflowSize {
    /// Values (numbers, texts, lists, members of objects) that a file may hold. The largest real workflows have some
    /// hundreds of nodes and stay below a fiftieth of this.
    static let maximumValues = 1_000_000

    /// - Throws: ``WorkflowError/Code/tooLarge``.
    static func check(_ text: Span<UInt8>, at path: String) throws(WorkflowError) {
        // Every value but the first of a list or object stands behind a comma.
        var values = 1
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "\""):
                index += 1
                while index < text.count, text[index] != UInt8(ascii: "\"") {
                    index += text[index] == UInt8(ascii: "\\") ? 2 : 1
                }
            case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"): values += 1
            default: break
            }
            index += 1
        }
        guard values > maximumValues else { return }
        throw WorkflowError(
            .tooLarge, at: path, "the file holds about \(values) values, expected at most \(maximumValues)",
            advice: "this is not a workflow that an editor saved; if it is, run it in parts")
    }
}
