import Glibc

/// The memory that this process could still take without anybody having to swap.
public enum AvailableMemory {
    /// What `/proc/meminfo` says is available, or what the control groups of the process leave, if that is less; 4 GiB
    /// where neither can be read.
    public static func bytes() -> Int {
        let machine = value("MemAvailable:", in: "/proc/meminfo").map { $0 << 10 }
        return min(machine ?? 4 << 30, groups() ?? .max)
    }

    /// What the narrowest of the process's control groups (version 2) leaves. Page cache counts as free.
    private static func groups() -> Int? {
        guard let text = read("/proc/self/cgroup"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return nil }
        var path = line.dropFirst(3)
        var least: Int?
        while true {
            let folder = "/sys/fs/cgroup\(path == "/" ? "" : String(path))"
            if let limit = number("\(folder)/memory.max"), let used = number("\(folder)/memory.current") {
                let cached = value("inactive_file", in: "\(folder)/memory.stat") ?? 0
                least = min(least ?? .max, max(0, limit - used + cached))
            }
            guard let slash = path.lastIndex(of: "/"), path.count > 1 else { return least }
            path = slash == path.startIndex ? "/" : path[..<slash]
        }
    }

    private static func read(_ path: String) -> String? {
        (try? FileSystem.read(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// `nil` also for "max".
    private static func number(_ path: String) -> Int? {
        read(path).flatMap { Int($0.filter { !$0.isWhitespace }) }
    }

    /// The number behind a name at the beginning of a line.
    private static func value(_ name: String, in path: String) -> Int? {
        guard let text = read(path) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            let words = line.split { $0 == " " || $0 == ":" }
            if words.count >= 2 { return Int(words[1]) }
        }
        return nil
    }
}
