import Engine
import Foundation
import JSON
import NodeKit
import Testing
import Workflow

/// Times of the engine itself, printed and not judged: `GRAPHRUN_MEASURE=1 swift test --filter Measurements`.
@Suite(
    .serialized, .enabled(if: ProcessInfo.processInfo.environment["GRAPHRUN_MEASURE"] != nil, "prints times only"))
struct Measurements {
    private func time(_ name: String, per count: Int, _ unit: String, _ body: () async -> Void) async {
        var best = Double.infinity
        for _ in 0..<5 {
            let start = ContinuousClock.now
            await body()
            let parts = start.duration(to: .now).components
            best = min(best, Double(parts.seconds) + Double(parts.attoseconds) * 1e-18)
        }
        print("\(name): \(best * 1e3) ms, \(best * 1e6 / Double(count)) µs per \(unit)")
    }

    @Test func validationOfTwoHundredNodes() async {
        let harness = Harness()
        let prompt = chain(200)
        await time("validation of 200 nodes", per: 200, "node") { _ = await harness.engine.validate(prompt) }
    }

    @Test func aChainOfTenThousandNodes() async {
        let prompt = chain(10_000)
        await time("validation and run of 10,000 nodes", per: 10_000, "node") { _ = await Harness().run(prompt) }
    }

    @Test func aThousandCachedRuns() async throws {
        let harness = Harness()
        let validated = try #require(await harness.engine.validate(chain(100)).validated)
        _ = await harness.engine.run(validated)
        await time("1000 cached runs of 100 nodes", per: 101_000, "node") {
            for _ in 0..<1000 { _ = await harness.engine.run(validated) }
        }
    }

    /// The slope of the process's memory over 1000 runs, half of them with another constant.
    @Test func memoryOverAThousandRuns() async throws {
        func resident() -> Double {
            let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
            return Double(line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first ?? "") ?? 0
        }
        let harness = Harness(cacheBytes: 4 << 20)
        var start = 0.0
        for run in 0..<2000 {
            var prompt = chain(100)
            if run % 2 == 1 { prompt["0"]?.inputs["value"] = .literal(.int(Int64(run % 100))) }
            _ = await harness.run(prompt)
            if run == 999 { start = resident() }
        }
        print("memory over 1000 runs of 100 nodes: \(resident() - start) KiB, at \(start) KiB")
    }
}
