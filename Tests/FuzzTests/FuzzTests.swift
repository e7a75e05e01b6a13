import Foundation
import FuzzTarget
import Testing

/// The path of a workflow file (Fuzzing/README.md) on the corpus and on changes of it: an answer, never a trap, a hang
/// or unbounded memory. The same changes in every run.
@Suite struct FuzzTests {
    /// `Fuzzing/Corpus` of this package.
    static let corpus: [(name: String, bytes: [UInt8])] = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Fuzzing/Corpus").standardizedFileURL
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().compactMap { name in
            (try? Data(contentsOf: folder.appendingPathComponent(name))).map { (name, [UInt8]($0)) }
        }
    }()

    @Test func theCorpusIsWhatItShouldBe() async {
        #expect(Self.corpus.count >= 9)
        var outcomes: [String: FuzzTarget.Outcome] = [:]
        for file in Self.corpus { outcomes[file.name] = await FuzzTarget.examine(file.bytes) }
        #expect(outcomes["api.json"] == .valid && outcomes["both.png"] == .valid && outcomes["both.jpg"] == .valid)
        #expect(outcomes["values.json"] == .invalid && outcomes["ui.json"] != .refused)
    }

    @Test(.timeLimit(.minutes(10))) func changedFilesEndInAnAnswer() async {
        var random = Random(state: 0x9e37_79b9)
        var counts: [FuzzTarget.Outcome: Int] = [:]
        for round in 0..<400 {
            for file in Self.corpus {
                let other = Self.corpus[random.below(Self.corpus.count)].bytes
                let changed = Self.changed(file.bytes, with: other, times: 1 + round % 6, &random)
                counts[await FuzzTarget.examine(changed), default: 0] += 1
            }
        }
        // The changes are neither all harmless nor all fatal.
        #expect(
            (counts[.refused] ?? 0) > 100 && (counts[.invalid] ?? 0) > 50 && (counts[.valid] ?? 0) > 5, "\(counts)")
    }

    @Test(.timeLimit(.minutes(10))) func filesCutOffAnywhereEndInAnAnswer() async {
        for file in Self.corpus {
            for length in stride(from: 0, to: file.bytes.count, by: 7) {
                await FuzzTarget.examine(Array(file.bytes[..<length]))
            }
        }
    }

    /// Bytes replaced, taken out, doubled, exchanged for words that mean something, or filled from another file.
    static func changed(_ bytes: [UInt8], with other: [UInt8], times: Int, _ random: inout Random) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<times where !bytes.isEmpty {
            let at = random.below(bytes.count)
            let end = min(bytes.count, at + 1 + random.below(24))
            switch random.below(6) {
            case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.removeSubrange(at..<end)
            case 2: bytes.insert(contentsOf: bytes[at..<end], at: at)
            case 3: bytes.replaceSubrange(at..<end, with: Self.words[random.below(Self.words.count)].utf8)
            case 4: bytes.insert(contentsOf: Self.words[random.below(Self.words.count)].utf8, at: at)
            default:
                let start = random.below(other.count)
                bytes.insert(contentsOf: other[start..<min(other.count, start + 40)], at: at)
            }
        }
        return bytes
    }

    private static let words = [
        "null", "-1", "1e999", "NaN", "18446744073709551616", "\"\"", "[", "]", "{", "}", "\"1\"", "[\"1\",0]",
        "\\u0000",
        "\\ud800", "\"..\"", "\"__value__\"", ",", ":", "\"class_type\"", "\"Reroute\"", "-10", "-20", "true", "\u{7F}",
    ]
}

/// SplitMix64.
struct Random {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }
}
