/// Learns byte-pair merges (Sennrich, Haddow & Birch, "Neural Machine Translation of Rare Words with Subword Units",
/// 2016): again and again the most frequent pair of neighbours becomes one symbol.
struct PairTrainer {
    private(set) var symbols: [String] = []
    private(set) var merges: [(left: String, right: String)] = []
    /// The different words as symbols, and how often each occurs.
    private(set) var words: [(symbols: [Int], count: Int)] = []

    /// How often each pair of neighbours occurs.
    private var counts: [Pair: Int] = [:]

    private struct Pair: Hashable {
        var left: Int
        var right: Int
    }

    /// - Parameters:
    ///   - list: each word of the text as its first symbols.
    ///   - limit: how many merges to learn; fewer if no pair occurs twice.
    init(_ list: [[String]], limit: Int) {
        var numbers: [String: Int] = [:]
        var places: [[String]: Int] = [:]
        for word in list {
            if let place = places[word] {
                words[place].count += 1
                continue
            }
            places[word] = words.count
            words.append((word.map { number($0, &numbers) }, 1))
        }
        for word in words { count(word, word.count) }
        while merges.count < limit, let pair = mostFrequent() { join(pair, &numbers) }
    }

    private mutating func number(_ symbol: String, _ numbers: inout [String: Int]) -> Int {
        if let known = numbers[symbol] { return known }
        numbers[symbol] = symbols.count
        symbols.append(symbol)
        return symbols.count - 1
    }

    private mutating func count(_ word: (symbols: [Int], count: Int), _ change: Int) {
        for (left, right) in zip(word.symbols, word.symbols.dropFirst()) {
            counts[Pair(left: left, right: right), default: 0] += change
        }
    }

    /// Among equally frequent pairs the one that comes first by code points, so that the result is always the same.
    private func mostFrequent() -> Pair? {
        func isBetter(_ a: (key: Pair, value: Int), _ b: (key: Pair, value: Int)) -> Bool {
            if a.value != b.value { return a.value > b.value }
            return Self.comesFirst(
                symbols[a.key.left] + " " + symbols[a.key.right], symbols[b.key.left] + " " + symbols[b.key.right])
        }
        var best: (key: Pair, value: Int)?
        for item in counts where item.value > 1 {
            if let other = best, !isBetter(item, other) { continue }
            best = item
        }
        return best?.key
    }

    static func comesFirst(_ a: String, _ b: String) -> Bool {
        a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars)
    }

    private mutating func join(_ pair: Pair, _ numbers: inout [String: Int]) {
        merges.append((symbols[pair.left], symbols[pair.right]))
        let joined = number(symbols[pair.left] + symbols[pair.right], &numbers)
        for index in words.indices where words[index].symbols.count > 1 {
            var result: [Int] = []
            for symbol in words[index].symbols {
                if symbol == pair.right, result.last == pair.left {
                    result[result.count - 1] = joined
                } else {
                    result.append(symbol)
                }
            }
            if result.count == words[index].symbols.count { continue }
            count(words[index], -words[index].count)
            words[index].symbols = result
            count(words[index], words[index].count)
        }
    }
}
