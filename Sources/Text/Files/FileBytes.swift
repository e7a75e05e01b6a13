import Glibc

/// The bytes of a whole file.
///
/// Foundation is avoided on purpose: loading it costs more than reading a vocabulary.
enum FileBytes {
    /// Larger than any vocabulary (the largest known are below 40 MB).
    static let limit = 256 << 20

    static func read(_ path: String) throws(TokenizerError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault(path, "cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw fault(path, "cannot be examined") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TokenizerError(.unreadable, file: path, "is not a regular file")
        }
        let size = Int(status.st_size)
        guard size <= limit else {
            throw TokenizerError(
                .malformed, file: path, "is \(size) bytes long; a tokenizer file has at most \(limit)")
        }
        var done = 0
        var failed = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while done < size, let base = buffer.baseAddress {
                let got = unsafe Glibc.read(descriptor, base + done, size - done)
                if got < 0 && errno == EINTR { continue }
                if got <= 0 {
                    failed = got < 0
                    break
                }
                done += got
            }
            count = done
        }
        if failed { throw fault(path, "cannot be read") }
        return bytes
    }

    /// Whether a regular file (or a link to one) is there.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Names of the subfolders of a folder, sorted; empty when it cannot be listed.
    static func subfolders(of path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            var status = stat()
            if unsafe stat(path + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                names.append(name)
            }
        }
        return names.sorted()
    }

    private static func fault(_ path: String, _ what: String) -> TokenizerError {
        TokenizerError(.unreadable, file: path, "\(what): \(unsafe String(cString: strerror(errno)))")
    }
}
