internal import Glibc

/// A file that appears under its name only when it is complete: written under a temporary name beside it.
final class OutputFile: Sendable {
    let path: String
    private let temporary: String
    private let descriptor: CInt

    init(_ path: String) throws(ManifestError) {
        self.path = path
        temporary = "\(path).\(getpid()).partial"
        guard !path.utf8.contains(0) else {
            throw ManifestError(.file, "the file name contains a NUL character: \(path.debugDescription)")
        }
        let opened = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard opened >= 0 else { throw Self.fault("cannot create", temporary) }
        descriptor = opened
    }

    deinit {
        close(descriptor)
        // Gone already when `finish` renamed it.
        unsafe unlink(temporary)
    }

    /// Writes bytes at a place; any thread, any order. Returns 0 or the error number.
    func write(_ bytes: RawSpan, at offset: Int) -> Int32 {
        unsafe bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count, let base = buffer.baseAddress {
                let count = unsafe pwrite(descriptor, base + done, buffer.count - done, offset + done)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return count < 0 ? errno : EIO }
                done += count
            }
            return 0
        }
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(ManifestError) {
        let failure = unsafe write(bytes.span.bytes, at: offset)
        if failure != 0 { throw Self.fault("cannot write", path, failure) }
    }

    /// Gives the file its name.
    func finish() throws(ManifestError) {
        guard unsafe rename(temporary, path) == 0 else { throw Self.fault("cannot rename to", path) }
    }

    static func fault(_ what: String, _ path: String, _ failure: Int32 = errno) -> ManifestError {
        ManifestError(.file, "\(what) \(path): \(unsafe String(cString: strerror(failure)))")
    }
}

/// The few folder operations that are needed; Foundation would double the time to start.
enum Folder {
    static func create(_ path: String) throws(ManifestError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part
            if unsafe mkdir(made, 0o777) != 0 && errno != EEXIST {
                throw OutputFile.fault("cannot create the folder", made)
            }
            made += "/"
        }
    }

    /// The folder a path lies in; "." for a bare name.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Names in a folder, sorted, and whether each is a folder.
    static func contents(_ path: String) throws(ManifestError) -> [(name: String, isFolder: Bool)] {
        guard let folder = unsafe opendir(path) else { throw OutputFile.fault("cannot list", path) }
        defer { unsafe _ = closedir(folder) }
        var found: [(name: String, isFolder: Bool)] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            var status = stat()
            guard unsafe stat(path + "/" + name, &status) == 0 else { continue }
            found.append((name, status.st_mode & S_IFMT == S_IFDIR))
        }
        return found.sorted { $0.name < $1.name }
    }

    /// When a file was last changed, in nanoseconds; nil if there is none.
    static func modified(_ path: String) -> Int? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec
    }

    static func read(_ path: String) throws(ManifestError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw OutputFile.fault("cannot open", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe block.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw OutputFile.fault("cannot read", path) }
            if count == 0 { return bytes }
            bytes += block[..<count]
        }
    }
}
