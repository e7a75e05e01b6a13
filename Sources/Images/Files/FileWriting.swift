internal import Glibc

/// Files of nodes that write no pictures.
public enum OutputFile {
    /// Writes a file as a whole or not at all.
    ///
    /// - Throws: ``ImageError/Code/unwritableFile`` with the system's reason; nothing is left behind then.
    public static func write(_ bytes: [UInt8], to path: String) throws(ImageError) { try writeFile(bytes, to: path) }
}

/// Writes a file as a whole or not at all: under a temporary name in the same folder, renamed when it is complete.
///
/// - Parameter replacing: whether a file of that name may be replaced.
/// - Returns: `false` when there is a file of that name that may not be replaced.
/// - Throws: ``ImageError/Code/unwritableFile`` with the system's reason; nothing is left behind then.
@discardableResult
func writeFile(_ bytes: [UInt8], to path: String, replacing: Bool = true) throws(ImageError) -> Bool {
    guard !path.utf8.contains(0) else {
        throw ImageError(.unwritableFile, "the file name contains a NUL character: \(path.debugDescription)")
    }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let (descriptor, temporary) = try createTemporary(in: folder, for: path)
    var failure = writeAll(bytes, to: descriptor)
    if close(descriptor) != 0 && failure == 0 { failure = errno }
    if failure == 0 {
        // A second name for the file is only given where there is none: two writers never take the same one.
        if replacing {
            if unsafe rename(temporary, path) != 0 { failure = errno }
        } else if unsafe link(temporary, path) == 0 {
            unsafe unlink(temporary)
        } else if unsafe errno == EEXIST || access(path, F_OK) == 0 {
            unsafe unlink(temporary)
            return false
        } else if unsafe rename(temporary, path) != 0 {
            // Reached where the file system knows no second names.
            failure = errno
        }
    }
    guard failure == 0 else {
        unsafe unlink(temporary)
        throw ImageError(.unwritableFile, "cannot write \(path): \(systemMessage(failure))\(advice(failure))")
    }
    return true
}

/// A new empty file with a name that nothing else uses.
private func createTemporary(in folder: String, for path: String) throws(ImageError) -> (CInt, String) {
    for _ in 0..<100 {
        let name = "\(folder).graphrun-\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 36)).tmp"
        let descriptor = unsafe open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if descriptor >= 0 { return (descriptor, name) }
        guard errno == EEXIST || errno == EINTR else { break }
    }
    let failure = errno
    throw ImageError(.unwritableFile, "cannot write \(path): \(systemMessage(failure))\(advice(failure))")
}

/// 0, or the error number.
private func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> Int32 {
    unsafe bytes.withUnsafeBytes { buffer in
        var written = 0
        while written < buffer.count {
            let count = unsafe write(descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return count < 0 ? errno : EIO }
            written += count
        }
        return 0
    }
}

private func advice(_ failure: Int32) -> String {
    switch failure {
    case ENOSPC, EDQUOT: "; free some space or choose another output folder"
    case EACCES, EPERM, EROFS: "; choose an output folder that can be written to"
    case ENOENT, ENOTDIR: "; the folder does not exist"
    default: ""
    }
}
