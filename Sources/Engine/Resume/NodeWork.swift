import NodeKit
import Synchronization

/// The unfinished work of one run.
final class RunWork: Sendable {
    private let folder: ResumeFolder
    /// Journals of nodes that have finished, but whose results live in this process only.
    private let done = Mutex<[String]>([])

    init(_ folder: ResumeFolder) { self.folder = folder }

    /// - Parameter warn: tells the user of the node.
    func node(_ key: CacheKey, warn: @escaping @Sendable (String) -> Void) -> NodeWork {
        NodeWork(self, folder, key, warn)
    }

    /// Nothing of the run need be done again: what remains of its journals goes.
    func succeeded() {
        let paths = done.withLock { paths in
            defer { paths = [] }
            return paths
        }
        for path in paths { folder.remove(path) }
    }

    fileprivate func keep(_ path: String) { done.withLock { $0.append(path) } }
}

/// The journals of one node in one run.
final class NodeWork: Sendable {
    private let run: RunWork
    private let folder: ResumeFolder
    private let key: CacheKey
    private let warn: @Sendable (String) -> Void
    private struct State {
        var open: [JournalFile] = []
        /// How often a name was asked for.
        var uses: [String: Int] = [:]
    }
    private let state = Mutex(State())

    fileprivate init(
        _ run: RunWork, _ folder: ResumeFolder, _ key: CacheKey, _ warn: @escaping @Sendable (String) -> Void
    ) {
        self.run = run
        self.folder = folder
        self.key = key
        self.warn = warn
    }

    /// What the node sees in one of the calls for the elements of its input lists.
    func call(_ number: Int) -> any UnfinishedWork { Call(node: self, number: number) }

    private struct Call: UnfinishedWork {
        let node: NodeWork
        let number: Int
        func journal(_ name: String) -> (any WorkJournal)? { node.journal(name, number) }
    }

    private func journal(_ name: String, _ call: Int) -> (any WorkJournal)? {
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

    /// The node has finished.
    ///
    /// - Parameter isSafe: whether its result outlives this process. If not, its work is kept until the run has
    ///   succeeded: it is the quickest way back to the result.
    func finished(isSafe: Bool) {
        for file in closing() {
            if isSafe {
                file.discard()
            } else {
                file.close()
                run.keep(file.path)
            }
        }
    }

    /// The node was stopped or has failed.
    func stopped() { for file in closing() { file.close() } }

    private func closing() -> [JournalFile] {
        state.withLock { state in
            defer { state.open = [] }
            return state.open
        }
    }
}
