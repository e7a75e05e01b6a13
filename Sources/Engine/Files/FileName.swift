import NodeKit

/// A file name out of a workflow: foreign input that must stay inside the folder it is looked up in.
struct FileName {
    /// Longer names are longer than any path may be.
    static let maximumLength = 4096

    static func tooLong(_ text: String) -> NodeError {
        NodeError("file name \"\(shortened(text))\": longer than any path")
    }

    /// The name with `/` between its parts.
    let relativePath: String

    /// - Parameter text: may have subfolders, and backslashes as Windows writes them.
    /// - Throws: `NodeError` for names that could leave the folder: absolute ones, `..`, drive letters, NUL.
    init(_ text: String) throws {
        func refuse(_ reason: String) -> NodeError { NodeError("file name \"\(shortened(text))\": \(reason)") }
        if text.isEmpty { throw NodeError("the file name is empty") }
        if text.utf8.count > Self.maximumLength { throw Self.tooLong(text) }
        if text.utf8.contains(0) { throw refuse("contains a NUL byte") }
        let parts = text.pathParts(separators: "/\\", omittingEmpty: false)
        if parts.first?.isEmpty == true { throw refuse("an absolute path; expected one inside the folder") }
        if let drive = parts.first, drive.utf8.count == 2, drive.last == ":" { throw refuse("has a drive letter") }
        if parts.contains("..") { throw refuse("\"..\" could leave the folder") }
        relativePath = parts.filter { !$0.isEmpty && $0 != "." }.joined(separator: "/")
        if relativePath.isEmpty { throw refuse("names no file") }
    }
}
