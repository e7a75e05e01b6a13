/// Foreign paths, read as the system reads them: as bytes.
///
/// For Swift, `/` and a combining mark after it are one `Character`, which `split`, `hasPrefix` and `==` do not take for a
/// slash; for the system it is one. Canonically equal names, which `String` compares as equal, are different files.
extension StringProtocol {
    /// The names between the separators.
    ///
    /// - Parameters:
    ///   - separators: ASCII characters.
    ///   - omittingEmpty: whether `a//b` has two names rather than three.
    public func pathParts(separators: StaticString = "/", omittingEmpty: Bool = true) -> [String] {
        let bytes = unsafe UnsafeBufferPointer(start: separators.utf8Start, count: separators.utf8CodeUnitCount)
        let wanted = unsafe Array(bytes)
        return Array(utf8).split(omittingEmptySubsequences: omittingEmpty) { wanted.contains($0) }.map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Whether the bytes begin like those of a prefix.
    public func beginsWithBytes(_ prefix: some StringProtocol) -> Bool { utf8.starts(with: prefix.utf8) }

    /// Whether the bytes of a text occur anywhere.
    public func containsBytes(_ text: some StringProtocol) -> Bool {
        let wanted = Array(text.utf8)
        let bytes = Array(utf8)
        guard !wanted.isEmpty, wanted.count <= bytes.count else { return wanted.isEmpty }
        return (0...(bytes.count - wanted.count)).contains { bytes[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }

    /// Whether a path without links and dots is that of a folder, or of something in it.
    public func isPath(in folder: some StringProtocol) -> Bool {
        guard beginsWithBytes(folder) else { return false }
        let rest = utf8.dropFirst(folder.utf8.count)
        return rest.isEmpty || rest.first == UInt8(ascii: "/") || folder.utf8.elementsEqual("/".utf8)
    }
}
