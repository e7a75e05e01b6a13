/// Where the program keeps what it could compute again: `graphrun` under `$XDG_CACHE_HOME`, else under `~/.cache` (XDG Base
/// Directory Specification: a relative path is to be ignored); `nil` where there is no home.
public var standardCacheFolder: String? {
    if let base = environmentVariable("XDG_CACHE_HOME"), base.hasPrefix("/") { return base + "/graphrun" }
    return environmentVariable("HOME").map { $0 + "/.cache/graphrun" }
}
