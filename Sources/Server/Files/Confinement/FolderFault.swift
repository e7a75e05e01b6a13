import Glibc

/// Why a name could not be followed in a folder, or a file not be read or written there.
struct FolderFault: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable, Hashable {
        /// The name itself is refused: control characters, too long, absolute, a drive letter.
        case invalidName
        /// The name leads out of the folder, by `..` or by a link.
        case outside
        case missing
        /// There is one of that name already.
        case exists
        /// There is something of that name, but of another kind: a folder, a pipe.
        case wrongKind
        /// More entries or bytes than are handled.
        case tooLarge
        /// The system refused: permissions, full disk.
        case system
    }

    var code: Code
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The fault of the last failed call.
    static func system(_ action: String, _ name: String) -> FolderFault {
        let number = errno
        let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
        let text = "\(action) \(quoted(name)): \(reason)"
        switch number {
        case ENOENT, ENOTDIR: return FolderFault(.missing, text)
        case EEXIST, ENOTEMPTY: return FolderFault(.exists, text)
        case EISDIR: return FolderFault(.wrongKind, text)
        // A circle of links leads nowhere.
        case ELOOP: return FolderFault(.missing, text)
        case ENAMETOOLONG: return FolderFault(.invalidName, text)
        default: return FolderFault(.system, text)
        }
    }

    var description: String { message }
}

/// A foreign name in a message: its beginning, with control characters spelled out.
func quoted(_ name: some StringProtocol) -> String {
    let shown = name.prefix(100)
    return String(shown).debugDescription + (shown.endIndex == name.endIndex ? "" : "…")
}
