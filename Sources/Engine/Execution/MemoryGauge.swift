import Glibc

/// Whether the machine has room for one more node beside those that run.
enum MemoryGauge {
    /// At least this share of the memory, and this many bytes, must be available.
    private static let share = 0.125
    private static let least = 1 << 30

    /// What the system says it could give without swapping.
    static func allowsMore() -> Bool {
        guard let (total, available) = read() else { return true }
        return available >= max(least, Int(Double(total) * share))
    }

    /// `MemTotal` and `MemAvailable` of `/proc/meminfo`, in bytes.
    private static func read() -> (total: Int, available: Int)? {
        let file = unsafe open("/proc/meminfo", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        var numbers: [String: Int] = [:]
        for line in String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count >= 2, let kibibytes = Int(words[1]) { numbers[String(words[0])] = kibibytes << 10 }
        }
        guard let total = numbers["MemTotal:"], let available = numbers["MemAvailable:"] else { return nil }
        return (total, available)
    }
}
