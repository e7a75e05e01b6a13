import Glibc

/// How many files and connections the process may have open.
enum DescriptorLimit {
    /// What is not for connections: models, pictures, the database.
    private static let others = 200

    /// Raises the limit as far as the system lets us: the usual 1024 are for interactive programs.
    ///
    /// - Returns: how many connections there is room for.
    static func raise() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0 else { return 1024 - others }
        let wanted = min(limit.rlim_max, 1 << 16)
        if limit.rlim_cur < wanted {
            limit.rlim_cur = wanted
            _ = unsafe setrlimit(resource, &limit)
            unsafe _ = getrlimit(resource, &limit)
        }
        return max(8, Int(clamping: limit.rlim_cur) - others)
    }
}
