import Engine
import Glibc

/// Draws graphs with graphviz's `dot`, which must be installed.
enum Graphviz {
    /// - Throws: ``ProgramError`` when there is no `dot`, or when it fails.
    static func svg(_ source: String, to path: String) throws {
        var template = Array("/tmp/graphrun-plan-XXXXXX".utf8CString)
        let descriptor = unsafe template.withUnsafeMutableBufferPointer { buffer -> Int32 in
            guard let base = buffer.baseAddress else { return -1 }
            return unsafe mkstemp(base)
        }
        guard descriptor >= 0 else { throw ProgramError(.runFailed, "no temporary file can be made in /tmp") }
        close(descriptor)
        let input = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unsafe _ = unlink(input) }
        try writeFile(Array(source.utf8), to: input)

        var process = pid_t()
        let failure = spawn(["dot", "-Tsvg", "-o", path, input], &process)
        guard failure == 0 else {
            throw ProgramError(
                .runFailed,
                failure == ENOENT
                    ? "the program dot is not installed; install graphviz (apt install graphviz), or use --dot FILE"
                    : "dot cannot be started: error \(failure)")
        }
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0 && errno == EINTR {}
        guard status == 0 else { throw ProgramError(.runFailed, "dot could not draw the graph to \(path)") }
    }

    private static func spawn(_ arguments: [String], _ process: inout pid_t) -> Int32 {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe posix_spawnp(&process, arguments[0], nil, nil, pointers, environ)
    }
}
