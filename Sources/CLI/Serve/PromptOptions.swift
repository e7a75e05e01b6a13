import ArgumentParser
import Engine
import Server

/// How prompts are run and what is kept of them.
struct PromptOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How many prompts run beside each other; they share models.", valueName: "count"))
    var workers = 1

    @Option(
        help: ArgumentHelp(
            "How many nodes of a prompt may compute at the same time where memory allows it.", valueName: "count"))
    var parallelNodes = 2

    @Option(help: ArgumentHelp("How many prompts may wait; more are refused with 429.", valueName: "count"))
    var queueSize = 1000

    @Option(help: ArgumentHelp("How many prompts the history keeps.", valueName: "count"))
    var historySize = 10_000

    @Option(help: ArgumentHelp("How much the history may take.", valueName: "size"))
    var historyBytes: ByteCount?

    // Who says how long results are kept means all of them: see ServeCommand.
    @Flag(help: "Keep results only for the prompt that runs; none on disk without --cache.") var cacheClassic = false
    @Option(help: ArgumentHelp("Keep this many results; none on disk without --cache.", valueName: "count"))
    var cacheLru: Int?
    @Flag(help: "Keep no results beyond their last use; none on disk without --cache.") var cacheNone = false

    func validate() throws {
        for (name, value, range) in [
            ("workers", workers, 1...64), ("parallel-nodes", parallelNodes, 1...1024),
            ("queue-size", queueSize, 1...1_000_000), ("history-size", historySize, 0...1_000_000),
        ] where !range.contains(value) {
            throw ValidationError("--\(name): found \(value), expected \(range.lowerBound) to \(range.upperBound).")
        }
        if let cacheLru, cacheLru < 0 { throw ValidationError("--cache-lru: found \(cacheLru), expected 0 or more.") }
        if [cacheClassic, cacheLru != nil, cacheNone].count(where: { $0 }) > 1 {
            throw ValidationError("--cache-classic, --cache-lru and --cache-none exclude each other.")
        }
    }

    var policy: ResultCache.Policy {
        if cacheNone { return .none }
        if cacheClassic { return .presentPrompt }
        guard let cacheLru else { return .all }
        return cacheLru == 0 ? .presentPrompt : .count(cacheLru)
    }

    func apply(to options: inout ServeOptions) throws {
        options.workers = workers
        options.parallelNodes = parallelNodes
        options.queueLimit = queueSize
        options.historyCount = historySize
        if let historyBytes { options.historyBytes = historyBytes.bytes }
    }
}
