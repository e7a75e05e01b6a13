import JSON
import Tensors
import Testing

@testable import Sampling

/// torch's numbers bit for bit (goldens/ops/random, spec families-unet-sampling.md §16).
@Suite struct RandomTests {
    let golden: GoldenFile
    init() throws { golden = try GoldenFile("random") }

    static let seeds: [UInt64] = [0, 1, 42, 20_241_016, 1 << 63, .max]

    @Test(arguments: seeds) func uniformNumbers(seed: UInt64) throws {
        for count in [1, 4, 15, 16, 17, 100, 1000] {
            var generator = TorchGenerator(seed: seed)
            #expect(try generator.uniform([count]).floats() == golden.floats("rand.\(seed).\(count)"))
        }
    }

    @Test(arguments: seeds) func normalNumbers(seed: UInt64) throws {
        for count in [1, 4, 15, 16, 17, 100, 1000] {
            var generator = TorchGenerator(seed: seed)
            #expect(try generator.normal([count]).floats() == golden.floats("randn.\(seed).\(count)"))
        }
        if seed == 20_241_016 { return }  // the file has no large draw for it
        var generator = TorchGenerator(seed: seed)
        let latent = try generator.normal([1, 16, 64, 64]).floats()
        let name = "randn.\(seed).1x16x64x64"
        #expect(try Array(latent.prefix(256)) == golden.floats(name + ".first256"))
        #expect(try Array(latent.suffix(256)) == golden.floats(name + ".last256"))
        let sum = latent.reduce(0.0) { $0 + Double($1) }
        #expect(abs(sum - (try golden.double(name + ".sum"))) < 1e-9 * 65536)
    }

    @Test(arguments: seeds) func callsInARow(seed: UInt64) throws {
        let calls = golden.tensors.keys.filter { $0.hasPrefix("sequence.\(seed).") }
        #expect(calls.count == 9)
        func field(_ key: String, _ index: Int) -> Substring { key.split(separator: ".")[index] }
        var generator = TorchGenerator(seed: seed)
        for key in calls.sorted(by: { field($0, 2) < field($1, 2) }) {
            let count = Int(field(key, 4)) ?? 0
            let made = try field(key, 3) == "randn" ? generator.normal([count]) : generator.uniform([count])
            #expect(try made.floats() == golden.floats(key), "\(key)")
        }
    }

    @Test func halfUniforms() throws {
        var generator = TorchGenerator(seed: 3)
        let single = try generator.uniform([100_000]).floats()
        generator = TorchGenerator(seed: 3)
        let half = try Tensor.build([100_000], of: Float.self) { generator.fillUniformHalf(&$0) }.floats()
        var ones = 0
        for (a, b) in zip(single, half) {
            let expected = Float(Float16(a))
            if expected == 1 { ones += 1 }
            #expect(b == (expected == 1 ? 0 : expected))
        }
        #expect(ones > 0)
    }

    @Test func largeLatentIsFast() throws {
        var generator = TorchGenerator(seed: 1)
        _ = try generator.normal([1, 16, 128, 128])
        let clock = ContinuousClock()
        let best = try (0..<5).map { _ in try clock.measure { _ = try generator.normal([1, 16, 128, 128]) } }.min()
        #expect(try #require(best) < .milliseconds(10))
    }

    @Test func seedSequenceWords() throws {
        let rows = try #require(GoldenFile.json("random")["brownian"]?["entries"]?["seed-sequence"]?.arrayValue)
        #expect(rows.count >= 6)
        for row in rows {
            func number(_ value: JSON) -> UInt64? {
                switch value {
                case .int(let v): UInt64(exactly: v)
                case .uint(let v): v
                default: nil
                }
            }
            let entropy = try #require(row["entropy"].flatMap(number))
            let key = try #require(row["spawn_key"]?.arrayValue).compactMap(number)
            let words = try #require(row["words"]?.arrayValue).compactMap(number).map(UInt32.init)
            #expect(SeedSequence(entropy: entropy, spawnKey: key).generate(words.count) == words)
        }
    }

    @Test(arguments: ["0", "1"]) func brownianIncrements(entry: String) throws {
        let golden = try GoldenFile("brownian")
        let row = try #require(GoldenFile.json("random")["brownian"]?["entries"]?[entry])
        let shape = Shape(try #require(row["shape"]?.arrayValue).compactMap(\.intValue))
        let seed: UInt64
        switch row["seed"] {
        case .int(let v): seed = UInt64(bitPattern: v)
        case .uint(let v): seed = v
        default: throw GoldenFile.Malformed(file: "brownian")
        }
        let tree = try BrownianTree(
            shape: shape, low: Float(try #require(row["sigma_min"]?.doubleValue)),
            high: Float(try #require(row["sigma_max"]?.doubleValue)), seed: seed)
        for call in try #require(row["calls"]?.arrayValue) {
            let key = try #require(call["key"]?.stringValue)
            let from = Float(try #require(call["sigma"]?.doubleValue))
            let to = Float(try #require(call["sigma_next"]?.doubleValue))
            let made = try tree.noise(from: from, to: to).floats()
            let expected = try golden.floats(key)
            #expect(relativeError(made, expected) < 1e-6, "\(key)")
        }
    }
}
