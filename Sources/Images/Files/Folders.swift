internal import Glibc

/// Makes a folder and those above it; no error if it is there already.
func makeFolder(_ path: String) throws(ImageError) {
    if path.isEmpty { return }
    if unsafe mkdir(path, 0o777) == 0 { return }
    var failure = errno
    if failure == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
        try makeFolder(String(path[..<slash]))
        if unsafe mkdir(path, 0o777) == 0 { return }
        failure = errno
    }
    var status = stat()
    if failure == EEXIST, unsafe stat(path, &status) == 0 {
        if status.st_mode & S_IFMT == S_IFDIR { return }
        failure = ENOTDIR
    }
    throw ImageError(.unwritableFile, "cannot make the folder \(path): \(systemMessage(failure))")
}

/// The names in a folder as bytes: they need not be UTF-8.
func fileNames(in path: String) throws(ImageError) -> [[UInt8]] {
    guard let directory = unsafe opendir(path.isEmpty ? "." : path) else {
        throw ImageError(.unwritableFile, "cannot list the folder \(path): \(systemMessage(errno))")
    }
    defer { unsafe _ = closedir(directory) }
    var names: [[UInt8]] = []
    while let entry = unsafe readdir(directory) {
        // d_name is declared as 256 bytes, of which only those up to the NUL exist.
        let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 19
        let start = unsafe UnsafeRawPointer(entry) + offset
        let length = unsafe strlen(start.assumingMemoryBound(to: CChar.self))
        names.append(unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: length)))
    }
    return names
}
