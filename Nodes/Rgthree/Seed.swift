import JSON
import NodeKit

/// A seed, or a fresh random one on every run (pack-nodes.md §3).
struct Seed: Node {
    static let info = NodeInfo("Seed (rgthree)", category: "rgthree")

    @Input(.range(-1_125_899_906_842_624...1_125_899_906_842_624), .tooltip("−1, −2 or −3: a new number every run."))
    var seed = 0
    @Output("SEED") var result: Int

    func run(_ context: NodeContext) async throws {
        guard Self.isRandom(seed) else {
            result = seed
            return
        }
        result = Int.random(in: 1...1_125_899_906_842_624)
        context.show(["text": .array([.string("seed \(result)")])])
    }

    /// A different text every time for a random seed: neither it nor what depends on it is taken from the cache.
    func fingerprint(_ context: NodeContext) throws -> String? {
        guard $seed.isGiven, Self.isRandom(seed) else { return nil }
        return String(UInt64.random(in: 0 ... .max), radix: 36)
    }

    /// The front end gives −2 and −3 a meaning (last seed ± 1) that a single run has not.
    private static func isRandom(_ seed: Int) -> Bool { (-3 ... -1).contains(seed) }
}
