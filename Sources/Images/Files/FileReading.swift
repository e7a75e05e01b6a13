internal import Glibc

/// The whole of a regular file.
///
/// - Throws: ``ImageError/Code/unreadableFile`` with the system's reason, ``ImageError/Code/tooLarge`` beyond `limit`.
func readFile(_ path: String, limit: Int) throws(ImageError) -> [UInt8] {
    guard !path.utf8.contains(0) else {
        throw ImageError(.unreadableFile, "the file name contains a NUL character: \(path.debugDescription)")
    }
    // Without O_NONBLOCK opening a named pipe would wait for a writer.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw ImageError(.unreadableFile, "cannot open \(path): \(systemMessage(errno))") }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
        throw ImageError(.unreadableFile, "cannot read \(path): \(systemMessage(errno))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
        let kind = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "not a regular file"
        throw ImageError(.unreadableFile, "cannot read \(path): it is \(kind), a picture file was expected")
    }
    let size = Int(status.st_size)
    guard size <= limit else {
        throw ImageError(.tooLarge, "\(path) has \(size) bytes, the limit for a picture file is \(limit)")
    }
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        while count < size {
            let got = unsafe read(descriptor, buffer.baseAddress.map { unsafe $0 + count }, size - count)
            if got < 0 && errno == EINTR { continue }
            if got < 0 { failure = errno }
            if got <= 0 { break }
            count += got
        }
    }
    guard failure == 0 else { throw ImageError(.unreadableFile, "cannot read \(path): \(systemMessage(failure))") }
    return bytes
}

/// The system's text for an error number.
func systemMessage(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}
