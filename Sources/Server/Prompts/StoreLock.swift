import Glibc

/// Says that a server uses a file of the user folder; ends with this object, or with the process.
final class StoreLock: Sendable {
    private let descriptor: Int32
    private let path: String

    private init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { _ = close(descriptor) }

    enum Outcome {
        case taken(StoreLock)
        /// By another server.
        case used
        /// The folder cannot be written to.
        case impossible
    }

    static func take(_ path: String) -> Outcome {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return .impossible }
        // File systems without locks have one server, we hope.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            _ = close(descriptor)
            return .used
        }
        return .taken(StoreLock(descriptor, path))
    }

    /// Whether the file is still the one of that name.
    var isInPlace: Bool {
        var (own, named) = (stat(), stat())
        guard unsafe fstat(descriptor, &own) == 0, unsafe stat(path, &named) == 0 else { return false }
        return own.st_dev == named.st_dev && own.st_ino == named.st_ino
    }
}
