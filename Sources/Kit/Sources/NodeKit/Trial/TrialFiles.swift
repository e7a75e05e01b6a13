import Glibc

/// The files of a ``NodeTrial``: a temporary folder with `models`, `input`, `output` and `temp` in it.
public final class TrialFiles: NodeFiles {
    /// The folder; put files into it that the nodes should find.
    public let folder: String

    init() throws {
        let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/nodekit-XXXXXX".utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe mkdtemp($0) != nil } ?? false
        }
        guard isMade else {
            throw NodeError("no temporary folder can be made in \(parent): \(unsafe String(cString: strerror(errno)))")
        }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for name in ["models", "input", "output", "temp"] { _ = unsafe mkdir("\(folder)/\(name)", 0o755) }
    }

    deinit { remove(folder) }

    public var outputFolder: String { folder + "/output" }
    public var temporaryFolder: String { folder + "/temp" }

    public func model(_ folder: String, _ name: String) throws -> String { try found("models/\(folder)/\(name)") }
    public func modelNames(_ folder: String) -> [String] { entries("\(self.folder)/models/\(folder)") }
    public func modelFolders(_ folder: String) -> [String] { ["\(self.folder)/models/\(folder)"] }
    public func input(_ name: String) throws -> String { try found("input/\(name)") }
    public func inputNames() -> [String] { entries(folder + "/input") }

    public func fingerprint(path: String) throws -> String {
        var record = stat()
        guard unsafe stat(path, &record) == 0 else { throw NodeError("\(path): there is no such file") }
        return "\(record.st_size) \(record.st_mtim.tv_sec).\(record.st_mtim.tv_nsec) \(record.st_ino)"
    }

    private func found(_ name: String) throws -> String {
        let path = "\(folder)/\(name)"
        guard unsafe access(path, R_OK) == 0 else { throw NodeError("there is no file \(name) in \(folder)") }
        return path
    }

    private func entries(_ path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// With everything in it; symbolic links are removed, not followed.
    private func remove(_ path: String) {
        var record = stat()
        guard unsafe lstat(path, &record) == 0 else { return }
        if record.st_mode & S_IFMT == S_IFDIR {
            for name in entries(path) { remove("\(path)/\(name)") }
        }
        _ = unsafe Glibc.remove(path)
    }
}
