import ArgumentParser
import Engine

/// Where work outlives the process.
struct CacheFolderOptions: ParsableArguments {
    @Option(
        name: .customLong("cache"),
        help: ArgumentHelp(
            "Where results and unfinished work are kept; graphrun under $XDG_CACHE_HOME or ~/.cache if absent.",
            valueName: "dir"))
    var path: String?

    @Flag(name: .customLong("no-cache"), help: "Keep nothing beyond the run, and use nothing that was kept.")
    var isOff = false

    func validate() throws {
        if isOff && path != nil { throw ValidationError("--cache and --no-cache exclude each other.") }
        if path?.isEmpty == true { throw ValidationError("--cache: the folder's name is empty.") }
    }

    /// The folder; `nil` when nothing is kept, also where there is no home to keep it in.
    var folder: String? { isOff ? nil : path ?? standardCacheFolder }
}
