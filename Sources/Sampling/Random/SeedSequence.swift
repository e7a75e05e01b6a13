/// NumPy's SeedSequence with a pool of 24 words: well mixed 32-bit seeds from one number and a path of child indices
/// (O'Neill's seed_seq_fe; spec: families-unet-sampling.md §17). All arithmetic is modulo 2³².
struct SeedSequence {
    static let poolSize = 24

    private var pool: [UInt32]

    /// - Parameter spawnKey: the path of a child sequence; numbers below 2⁶⁴.
    init(entropy: UInt64, spawnKey: [UInt64] = []) {
        var words = Self.words(entropy)
        if !spawnKey.isEmpty {
            words += [UInt32](repeating: 0, count: max(0, Self.poolSize - words.count))
            for number in spawnKey { words += Self.words(number) }
        }

        var constant: UInt32 = 0x43b0_d7e5
        func hash(_ value: UInt32) -> UInt32 {
            var v = value ^ constant
            constant &*= 0x931e_8875
            v &*= constant
            return v ^ v >> 16
        }
        func mix(_ x: UInt32, _ y: UInt32) -> UInt32 {
            let v = 0xca01_f9dd &* x &- 0x4973_f715 &* y
            return v ^ v >> 16
        }
        var pool = (0..<Self.poolSize).map { hash($0 < words.count ? words[$0] : 0) }
        for source in pool.indices {
            for destination in pool.indices where destination != source {
                pool[destination] = mix(pool[destination], hash(pool[source]))
            }
        }
        for word in words.dropFirst(Self.poolSize) {
            for destination in pool.indices { pool[destination] = mix(pool[destination], hash(word)) }
        }
        self.pool = pool
    }

    /// The first `count` output words; at most ``poolSize``.
    func generate(_ count: Int) -> [UInt32] {
        var constant: UInt32 = 0x8b51_f9dd
        return pool.prefix(count).map { word in
            var v = word ^ constant
            constant &*= 0x58f3_8ded
            v &*= constant
            return v ^ v >> 16
        }
    }

    /// The first output word: the seed of a generator.
    var seed: UInt64 { UInt64(generate(1)[0]) }

    /// Little-endian words without leading zeros; zero is one word.
    private static func words(_ number: UInt64) -> [UInt32] {
        let low = UInt32(truncatingIfNeeded: number)
        let high = UInt32(truncatingIfNeeded: number >> 32)
        return high == 0 ? [low] : [low, high]
    }
}
