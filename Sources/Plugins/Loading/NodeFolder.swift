import Glibc

/// A folder of installed libraries.
public enum NodeFolder {
    /// Where libraries are installed without a folder being named: `$XDG_DATA_HOME/graphrun/nodes` or
    /// `~/.local/share/graphrun/nodes`; `nil` without a home.
    public static func perUser() -> String? {
        // A relative one is to be ignored (XDG Base Directory Specification).
        if let data = variable("XDG_DATA_HOME"), data.hasPrefix("/") { return data + "/graphrun/nodes" }
        return variable("HOME").map { $0 + "/.local/share/graphrun/nodes" }
    }

    /// Opens and locks a folder while `body` reads it (or writes, if `exclusively`), so that an installation is not seen
    /// half done. On file systems without locks it goes on without.
    ///
    /// - Returns: `nil` when there is no such folder.
    /// - Throws: ``PluginError`` when it cannot be opened or everybody can write into it; what `body` throws.
    static func locked<Result>(
        _ path: String, exclusively: Bool = false, _ body: () throws(PluginError) -> Result
    ) throws(PluginError) -> Result? {
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else {
            if errno == ENOENT { return nil }
            throw PluginError("\(path) cannot be opened: \(CheckedFile.lastProblem())")
        }
        defer { _ = close(folder) }
        var record = stat()
        guard unsafe fstat(folder, &record) == 0 else {
            throw PluginError("\(path) cannot be looked at: \(CheckedFile.lastProblem())")
        }
        guard record.st_mode & S_IWOTH == 0 else {
            throw PluginError("everybody can write into \(path): chmod o-w it once you trust what is in it")
        }
        _ = flock(folder, exclusively ? LOCK_EX : LOCK_SH)
        return try body()
    }

    /// The names in a folder, sorted; empty when it cannot be read.
    static func entries(_ path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The path without symbolic links and dots; `nil` when there is nothing.
    static func realPath(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
