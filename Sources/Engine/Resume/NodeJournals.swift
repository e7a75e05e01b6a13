import NodeKit
import Synchronization

/// The journals of one run.
final class RunJournals: Sendable {
    private let folder: ResumeFolder
    /// Of nodes that have finished. Their results live in this process, so that until the run has succeeded their work is
    /// the quickest way back to them.
    private let done = Mutex<[String]>([])

    init(_ folder: ResumeFolder) { self.folder = folder }

    /// The journals of one node.
    ///
    /// - Parameter warn: tells the user what cannot be kept.
    func node(_ key: CacheKey, warn: @escaping @Sendable (String) -> Void) -> NodeJournals {
        NodeJournals(self, folder, key, warn)
    }

    /// Nothing of the run need be done again: what remains of its journals goes.
    func succeeded() {
        let paths = done.withLock { paths in
            defer { paths = [] }
            return paths
        }
        for path in paths { folder.remove(path) }
    }

    fileprivate func keep(_ paths: [String]) { done.withLock { $0 += paths } }
}

/// The journals of one node in one run.
final class NodeJournals: UnfinishedWork {
    private struct State {
        var open: [JournalFile] = []
        /// How often a name was asked for.
        var uses: [String: Int] = [:]
    }

    private let run: RunJournals
    private let folder: ResumeFolder
    private let key: CacheKey
    private let warn: @Sendable (String) -> Void
    private let state = Mutex(State())

    fileprivate init(
        _ run: RunJournals, _ folder: ResumeFolder, _ key: CacheKey, _ warn: @escaping @Sendable (String) -> Void
    ) {
        self.run = run
        self.folder = folder
        self.key = key
        self.warn = warn
    }

    func journal(_ name: String, call: Int) -> (any WorkJournal)? {
        // It becomes part of a file name.
        let isName =
            (1...40).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2D
            }
        guard isName else {
            warn("a journal's name has 1 to 40 lower-case letters, digits and \"-\"; nothing is kept under another")
            return nil
        }
        let use = state.withLock { state in
            state.uses["\(call)-\(name)", default: 0] += 1
            return state.uses["\(call)-\(name)", default: 0]
        }
        guard let file = folder.journal(key, "\(call)-\(name)-\(use)", warn: warn) else { return nil }
        state.withLock { $0.open.append(file) }
        return file
    }

    /// The node has computed its outputs.
    func finished() { run.keep(close()) }

    /// The node was stopped or has failed: its journals wait for the next run.
    func stopped() { close() }

    @discardableResult private func close() -> [String] {
        let files = state.withLock { state in
            defer { state.open = [] }
            return state.open
        }
        for file in files { file.close() }
        return files.map(\.path)
    }
}
