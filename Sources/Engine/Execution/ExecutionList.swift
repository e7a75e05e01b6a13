import HeapModule
import NodeKit

/// The nodes that are still to run, and which of them can (engine-semantics.md §5). Grows while the run goes on.
///
/// Among nodes that could run, output nodes and waiting ones come first, then what an output waits for directly, then
/// what those wait for: pictures appear as early as possible and values live as short as possible. Otherwise first come,
/// first served.
struct ExecutionList {
    private struct Ready: Comparable {
        var rank: UInt8
        var arrival: Int
        var node: Int
        static func < (a: Ready, b: Ready) -> Bool { (a.rank, a.arrival) < (b.rank, b.arrival) }
    }

    /// Nodes of one kind of work; a run may let only some lanes go on.
    typealias Lane = NodeWork

    private enum Standing { case unknown, waiting, taken, finished }

    /// What is known of one node.
    private struct Entry {
        var standing = Standing.unknown
        var lane = Lane.computing
        var rank: UInt8 = 3
        var arrival = 0
        /// Nodes it waits for.
        var blockCount = 0
        /// Nodes that wait for it.
        var blocks: [Int] = []
    }

    private var entries: [Entry]
    private var ready: [Lane: Heap<Ready>] = [:]
    private var arrivals = 0
    private var isStarted = false
    /// Nodes that were added and have not been finished.
    private(set) var remaining = 0

    init(count: Int) {
        entries = Array(repeating: Entry(), count: count)
    }

    /// Makes room for nodes up to a number.
    mutating func grow(to count: Int) {
        while entries.count < count { entries.append(Entry()) }
    }

    /// Whether the node was ever added.
    func contains(_ node: Int) -> Bool { entries[node].standing != .unknown }
    /// Whether the node is still to run or running.
    func isOpen(_ node: Int) -> Bool { entries[node].standing == .waiting || entries[node].standing == .taken }

    /// Puts a node in, or in again after it was finished, without its sources; ``block(_:on:)`` and ``release(_:)`` follow.
    ///
    /// - Parameter isOutput: whether it is an output node.
    mutating func add(_ node: Int, isOutput: Bool, _ lane: Lane = .computing) {
        guard entries[node].standing == .unknown || entries[node].standing == .finished else { return }
        entries[node].standing = .waiting
        arrivals += 1
        entries[node].arrival = arrivals
        remaining += 1
        entries[node].lane = lane
        if isOutput || lane == .waiting { entries[node].rank = 0 }
    }

    /// Lets `node` wait for `source`, which is in the list too. Each pair at most once.
    mutating func block(_ node: Int, on source: Int) {
        entries[source].blocks.append(node)
        entries[node].blockCount += 1
        if isStarted { entries[source].rank = min(entries[source].rank, entries[node].rank + 1) }
    }

    /// Makes the nodes that wait for nothing available. Call once after the first nodes were added.
    mutating func start() {
        isStarted = true
        // Ranks go from consumers to sources; two rounds reach the two levels that count.
        for level: UInt8 in 0..<2 {
            for source in entries.indices {
                for node in entries[source].blocks where entries[node].rank == level {
                    entries[source].rank = min(entries[source].rank, level + 1)
                }
            }
        }
        for node in entries.indices { release(node) }
    }

    /// Makes a node available if it waits for nothing. Nodes added after ``start()`` need it once.
    mutating func release(_ node: Int) {
        if entries[node].standing == .waiting && entries[node].blockCount == 0 { offer(node) }
    }

    private mutating func offer(_ node: Int) {
        ready[entries[node].lane, default: Heap()].insert(
            Ready(rank: entries[node].rank, arrival: entries[node].arrival, node: node))
    }

    /// The next node to run; `nil` when none can.
    ///
    /// - Parameter lanes: those whose nodes may begin now; `nil` means all.
    mutating func take(_ lanes: [Lane]? = nil) -> Int? {
        var best: (lane: Lane, next: Ready)?
        for lane in lanes ?? readyLanes {
            guard let next = ready[lane]?.min, best.map({ next < $0.next }) ?? true else { continue }
            best = (lane, next)
        }
        guard let best else { return nil }
        _ = ready[best.lane]?.popMin()
        entries[best.next.node].standing = .taken
        return best.next.node
    }

    /// A node that was taken waits again. ``block(_:on:)`` and ``release(_:)`` follow.
    mutating func putBack(_ node: Int) { entries[node].standing = .waiting }

    /// The lanes with available nodes.
    var readyLanes: [Lane] { ready.compactMap { $1.isEmpty ? nil : $0 } }

    /// Whether any node is available.
    var hasReady: Bool { ready.values.contains { !$0.isEmpty } }

    /// Removes a node that has run; what waited for it alone becomes available.
    mutating func finish(_ node: Int) {
        remaining -= 1
        let dependents = entries[node].blocks
        entries[node].blocks = []
        entries[node].standing = .finished
        for dependent in dependents {
            entries[dependent].blockCount -= 1
            release(dependent)
        }
    }

    /// The nodes of a circle, each waiting for the next one: called when nothing can run although nodes remain.
    func circle() -> [Int] {
        var waitsFor: [Int: Int] = [:]
        for (source, entry) in entries.enumerated() where entry.standing == .waiting {
            for node in entry.blocks { waitsFor[node] = source }
        }
        guard var node = waitsFor.keys.min() else { return [] }
        var path: [Int] = []
        var seen: Set<Int> = []
        while seen.insert(node).inserted {
            path.append(node)
            guard let next = waitsFor[node] else { return [] }
            node = next
        }
        return Array(path[(path.firstIndex(of: node) ?? 0)...])
    }
}
