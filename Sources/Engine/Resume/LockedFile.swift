import Glibc

/// A file of the resume folder, open and locked: other processes, and other runs of this one, cannot have it at the same
/// time. The lock goes with the process, also when that is killed.
struct LockedFile: ~Copyable {
    let path: String
    private let descriptor: Int32

    private init(_ path: String, _ descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        // Said aloud: a duplicate that is being flushed to the disk would keep the lock.
        _ = flock(descriptor, LOCK_UN)
        _ = close(descriptor)
    }

    /// - Parameter creates: whether the file is made if it is not there.
    /// - Returns: `nil` when another has it, or it is not there.
    /// - Throws: ``FileError`` when it cannot be opened, is no plain file, or the file system knows no locks.
    static func open(_ path: String, creates: Bool) throws(FileError) -> LockedFile? {
        // The one who had it may remove it between our opening and our locking: then it is made anew.
        for _ in 0..<16 {
            let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (creates ? O_CREAT : 0)
            let descriptor = unsafe Glibc.open(path, flags, 0o600)
            guard descriptor >= 0 else {
                if errno == ENOENT && !creates { return nil }
                throw FileError(path, "cannot be opened: \(FileSystem.lastProblem())")
            }
            let file = LockedFile(path, descriptor)
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                if errno == EWOULDBLOCK { return nil }
                throw FileError(path, "cannot be locked: \(FileSystem.lastProblem())")
            }
            var (mine, named) = (stat(), stat())
            guard unsafe fstat(descriptor, &mine) == 0, mine.st_mode & S_IFMT == S_IFREG else {
                throw FileError(path, "is not a plain file")
            }
            if unsafe stat(path, &named) == 0, named.st_dev == mine.st_dev, named.st_ino == mine.st_ino {
                return file
            }
        }
        return nil
    }

    var byteCount: Int {
        var record = stat()
        return unsafe fstat(descriptor, &record) == 0 ? Int(record.st_size) : 0
    }

    /// `nil` when there are not that many bytes.
    func read(_ count: Int, at offset: Int) -> [UInt8]? {
        var done = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while done < count {
                let part = unsafe pread(descriptor, buffer.baseAddress?.advanced(by: done), count - done, offset + done)
                if part < 0 && errno == EINTR { continue }
                if part <= 0 { break }
                done += part
            }
            filled = done
        }
        return done == count ? bytes : nil
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let part = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, offset + done)
            }
            if part < 0 && errno == EINTR { continue }
            guard part > 0 else { throw FileError(path, "cannot be written: \(FileSystem.lastProblem())") }
            done += part
        }
    }

    /// - Returns: whether the file has that length now.
    @discardableResult func cut(to byteCount: Int) -> Bool { ftruncate(descriptor, byteCount) == 0 }

    /// What ``flush(_:)`` takes.
    func duplicate() -> Int32 { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }

    /// Waits until the content is on the disk. A disk that fails shows itself in the next write.
    static func flush(_ duplicate: Int32) {
        guard duplicate >= 0 else { return }
        _ = fdatasync(duplicate)
        _ = close(duplicate)
    }

    /// Takes the file's name away; what is open stays readable.
    func unlink() { unsafe _ = Glibc.unlink(path) }
}
