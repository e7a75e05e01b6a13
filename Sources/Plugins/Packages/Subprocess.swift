import Glibc

/// Runs another program and waits for it.
enum Subprocess {
    struct Result {
        /// The exit status; 128 and the signal's number when one ended it.
        var status: Int32
        /// What it wrote to standard output, if that was asked for.
        var output: [UInt8]
    }

    /// - Parameters:
    ///   - arguments: the program, looked up in `PATH`, and its arguments.
    ///   - environment: variables that are set or changed.
    ///   - capturing: whether standard output is returned; else it goes to standard error, since ours is for results.
    /// - Throws: ``PluginError`` when the program cannot be started.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], capturing: Bool = false
    ) throws(PluginError) -> Result {
        // Reading and writing end.
        var ends: [Int32] = [-1, -1]
        if capturing {
            guard unsafe pipe(&ends) == 0 else {
                throw PluginError("\(arguments[0]) cannot be started: \(CheckedFile.lastProblem())")
            }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, capturing ? ends[1] : STDERR_FILENO, STDOUT_FILENO)
        var child = pid_t()
        let fault = unsafe withCStrings(arguments) { argv in
            unsafe withCStrings(variables(changedBy: environment)) { envp in
                unsafe posix_spawnp(&child, arguments[0], &actions, nil, argv, envp)
            }
        }
        if capturing { close(ends[1]) }
        defer { if capturing { close(ends[0]) } }
        guard fault == 0 else {
            throw PluginError("\(arguments[0]) cannot be started: \(unsafe String(cString: strerror(fault)))")
        }
        let output = capturing ? readAll(ends[0]) : []
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw PluginError("\(arguments[0]): \(CheckedFile.lastProblem())") }
        }
        // The macros WIFSIGNALED, WTERMSIG and WEXITSTATUS.
        let signal = status & 0x7F
        return Result(status: signal == 0 ? status >> 8 & 0xFF : 128 + signal, output: output)
    }

    private static func readAll(_ file: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    private static func variables(changedBy changes: [String: String]) -> [String] {
        var all: [String] = []
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if changes[String(text.prefix { $0 != "=" })] == nil { all.append(text) }
            unsafe next += 1
        }
        return all + changes.map { "\($0.key)=\($0.value)" }.sorted()
    }

    /// Calls `body` with an array of C strings that ends with a null pointer.
    private static func withCStrings<Result>(
        _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = unsafe texts.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the array ends with a null pointer") }
            return unsafe body(base)
        }
    }
}
