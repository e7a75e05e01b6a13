import HeapModule

/// The nodes that are still to run, and which of them can (engine-semantics.md §5).
///
/// Among nodes that could run, output nodes come first, then what an output waits for directly, then what those wait for:
/// pictures appear as early as possible and values live as short as possible. Otherwise first come, first served.
struct ExecutionList {
    private struct Ready: Comparable {
        var rank: UInt8
        var arrival: Int
        var node: Int
        static func < (a: Ready, b: Ready) -> Bool { (a.rank, a.arrival) < (b.rank, b.arrival) }
    }

    private enum Standing { case unknown, waiting, taken }

    private var standing: [Standing]
    private var arrival: [Int]
    private var blockCount: [Int]
    private var blocks: [[Int]]
    private var rank: [UInt8]
    private var ready = Heap<Ready>()
    private var arrivals = 0
    /// Nodes that were added and have not been finished.
    private(set) var remaining = 0

    init(count: Int) {
        standing = Array(repeating: .unknown, count: count)
        arrival = Array(repeating: 0, count: count)
        blockCount = Array(repeating: 0, count: count)
        blocks = Array(repeating: [], count: count)
        rank = Array(repeating: 3, count: count)
    }

    /// Whether the node was ever added.
    func contains(_ node: Int) -> Bool { standing[node] != .unknown }

    /// Puts a node in without its sources; ``start()`` or ``block(_:on:)`` follow.
    mutating func add(_ node: Int, isOutput: Bool) {
        guard standing[node] == .unknown else { return }
        standing[node] = .waiting
        arrivals += 1
        arrival[node] = arrivals
        remaining += 1
        if isOutput { rank[node] = 0 }
    }

    /// Lets `node` wait for `source`, which is in the list too. Each pair at most once.
    mutating func block(_ node: Int, on source: Int) {
        blocks[source].append(node)
        blockCount[node] += 1
    }

    /// Makes the nodes that wait for nothing available. Call once after the first nodes were added.
    mutating func start() {
        // Ranks go from consumers to sources; two rounds reach the two levels that count.
        for level: UInt8 in 0..<2 {
            for source in blocks.indices {
                for node in blocks[source] where rank[node] == level { rank[source] = min(rank[source], level + 1) }
            }
        }
        for node in standing.indices where standing[node] == .waiting && blockCount[node] == 0 { offer(node) }
    }

    private mutating func offer(_ node: Int) {
        ready.insert(Ready(rank: rank[node], arrival: arrival[node], node: node))
    }

    /// The next node to run; `nil` when none can.
    mutating func take() -> Int? {
        guard let next = ready.popMin() else { return nil }
        standing[next.node] = .taken
        return next.node
    }

    /// Removes a node that has run; what waited for it alone becomes available.
    mutating func finish(_ node: Int) {
        remaining -= 1
        let dependents = blocks[node]
        blocks[node] = []
        for dependent in dependents {
            blockCount[dependent] -= 1
            if blockCount[dependent] == 0 { offer(dependent) }
        }
    }

    /// Nodes that wait although nothing runs: those on a circle or behind one.
    var stuck: [Int] { standing.indices.filter { standing[$0] == .waiting } }
}
