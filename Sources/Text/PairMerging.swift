internal import HeapModule

/// The loop of byte-pair encoding: join the best pair of neighbours until no pair can be joined.
enum PairMerging {
    /// One symbol of a text, in a doubly linked list of positions.
    struct Symbol {
        /// Bytes of the text it covers.
        var start: Int
        var end: Int
        /// What it is; −1 for something outside the vocabulary.
        var id: Int32
        fileprivate var previous = -1
        fileprivate var next = -1

        init(start: Int, end: Int, id: Int32) {
            self.start = start
            self.end = end
            self.id = id
        }
    }

    /// What two neighbours become.
    struct Merge {
        /// Lower is joined earlier; among equals the leftmost.
        var priority: Double
        var id: Int32
    }

    private struct Candidate: Comparable {
        var merge: Merge
        var left: Int
        var right: Int
        var leftEnd: Int
        var rightEnd: Int

        static func < (a: Candidate, b: Candidate) -> Bool {
            a.merge.priority != b.merge.priority ? a.merge.priority < b.merge.priority : a.left < b.left
        }
        static func == (a: Candidate, b: Candidate) -> Bool {
            a.merge.priority == b.merge.priority && a.left == b.left
        }
    }

    /// Merges in place and returns the symbols that remain. n log n for n symbols, whatever the text.
    static func run(_ symbols: [Symbol], _ lookup: (Symbol, Symbol) -> Merge?) -> [Symbol] {
        guard symbols.count > 1 else { return symbols }
        var symbols = symbols
        var queue = Heap<Candidate>()
        func propose(_ left: Int, _ right: Int) {
            guard left >= 0, right >= 0, let merge = lookup(symbols[left], symbols[right]) else { return }
            queue.insert(
                Candidate(
                    merge: merge, left: left, right: right, leftEnd: symbols[left].end, rightEnd: symbols[right].end))
        }
        for index in symbols.indices {
            symbols[index].previous = index - 1
            symbols[index].next = index + 1 < symbols.count ? index + 1 : -1
        }
        for index in 1..<symbols.count { propose(index - 1, index) }

        while let best = queue.popMin() {
            // A symbol that was merged since has another end, or none (it became part of its left neighbour).
            guard symbols[best.left].next == best.right, symbols[best.left].end == best.leftEnd,
                symbols[best.right].end == best.rightEnd
            else { continue }
            let after = symbols[best.right].next
            symbols[best.left].end = best.rightEnd
            symbols[best.left].id = best.merge.id
            symbols[best.left].next = after
            symbols[best.right].end = -1
            symbols[best.right].next = -1
            if after >= 0 { symbols[after].previous = best.left }
            propose(symbols[best.left].previous, best.left)
            propose(best.left, after)
        }
        return symbols.filter { $0.end >= 0 }
    }
}
