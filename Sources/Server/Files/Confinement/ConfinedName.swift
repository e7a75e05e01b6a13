import NodeKit

/// A name out of a request, relative to a folder: checked and taken apart, with `.` and `..` resolved as text.
///
/// Nothing here knows the disk: links are ``ConfinedFolder``'s business.
struct ConfinedName: Sendable, Hashable {
    /// What a file system takes for one part.
    static let maximumPartBytes = 255
    /// What the system takes for a path.
    static let maximumBytes = 4000

    /// What the names of unfinished files begin with, where the file system knows no files without names.
    static let unfinished = ".graphrun-"

    /// The folder itself.
    static let root = ConfinedName(parts: [])

    /// The folders and the file; none contains the byte of `/` or is `.`, `..` or empty.
    let parts: [String]

    private init(parts: [String]) { self.parts = parts }

    /// - Parameter text: already percent-decoded, once.
    /// - Throws: ``FolderFault/Code/invalidName`` for absolute names, drive letters, control characters and over-long
    ///   names, ``FolderFault/Code/outside`` for those whose `..` leave the folder.
    init(_ text: String) throws(FolderFault) {
        func refuse(_ reason: String) -> FolderFault {
            FolderFault(.invalidName, "the file name \(quoted(text)) \(reason)")
        }
        guard text.utf8.count <= Self.maximumBytes else { throw refuse("is longer than any path may be") }
        // The C0 and C1 controls, and DEL.
        let hasControls = text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
        guard !hasControls else { throw refuse("contains control characters") }
        guard !text.beginsWithBytes("/"), !text.beginsWithBytes("\\") else {
            throw refuse("is an absolute path; expected one inside the folder")
        }
        let bytes = Array(text.utf8.prefix(2))
        if bytes.count == 2, bytes[1] == UInt8(ascii: ":"), Character(UnicodeScalar(bytes[0])).isLetter {
            throw refuse("has a drive letter; expected a path inside the folder")
        }
        // On other systems a backslash separates; a name that climbs by it is never meant well.
        guard !text.utf8.contains(UInt8(ascii: "\\")) || !text.pathParts(separators: "/\\").contains("..") else {
            throw FolderFault(.outside, "the file name \(quoted(text)) leads out of its folder")
        }
        var parts: [String] = []
        for part in text.pathParts() where part != "." {
            if part == ".." {
                guard parts.popLast() != nil else {
                    throw FolderFault(.outside, "the file name \(quoted(text)) leads out of its folder")
                }
                continue
            }
            guard part.utf8.count <= Self.maximumPartBytes else {
                throw refuse("has a part of more than \(Self.maximumPartBytes) bytes")
            }
            guard !part.beginsWithBytes(Self.unfinished) else { throw refuse("is kept for unfinished files") }
            parts.append(part)
        }
        self.parts = parts
    }

    var path: String { parts.joined(separator: "/") }
    var isRoot: Bool { parts.isEmpty }
    /// The last part; empty for the folder itself.
    var last: String { parts.last ?? "" }
    /// Where the last part lies.
    var parent: ConfinedName { ConfinedName(parts: parts.dropLast()) }

    func appending(_ other: ConfinedName) -> ConfinedName { ConfinedName(parts: parts + other.parts) }

    /// The last part replaced.
    ///
    /// - Throws: ``FolderFault/Code/invalidName`` when `name` is not one part.
    func replacingLast(_ name: String) throws(FolderFault) -> ConfinedName {
        let only = try ConfinedName(name)
        guard only.parts.count == 1 else {
            throw FolderFault(.invalidName, "the file name \(quoted(name)) is not a single name")
        }
        return parent.appending(only)
    }
}
