import JSON
import NodeKit
import Synchronization
import Testing
import Workflow

@testable import Engine

/// Counts what runs at the same time.
private final class Meeting: Sendable {
    private let state = Mutex((open: [NodeWork: Int](), most: [NodeWork: Int](), total: 0))

    /// Stays until `wanted` others are there, or for a while.
    func visit(_ work: NodeWork, until wanted: Int) async throws {
        state.withLock { state in
            state.open[work, default: 0] += 1
            state.total = max(state.total, state.open.values.reduce(0, +))
            state.most[work] = max(state.most[work] ?? 0, state.open[work] ?? 0)
        }
        for _ in 0..<(wanted > 1 ? 400 : 5) {
            if state.withLock({ $0.total >= wanted }) && wanted > 1 { break }
            try await Task.sleep(for: .milliseconds(5))
        }
        state.withLock { $0.open[work, default: 0] -= 1 }
    }
    var most: [NodeWork: Int] { state.withLock { $0.most } }
    var total: Int { state.withLock { $0.total } }

    func pack(wanted: Int) -> NodePack {
        func visitor(_ id: String, _ work: NodeWork) -> NodeDefinition {
            NodeDefinition(
                schema: NodeSchema(
                    id: id, displayName: id, category: "test",
                    inputs: [InputSchema(name: "number", kind: .type("INT"))],
                    outputs: [OutputSchema(name: "number", type: "INT")], work: work)
            ) { inputs, _ in
                try await self.visit(work, until: wanted)
                return [inputs["number"] ?? []]
            }
        }
        return NodePack(
            "meeting",
            definitions: [
                visitor("Compute", .computing), visitor("Sample", .sampling), visitor("Read", .loading),
                visitor("Wait", .waiting),
            ])
    }
}

@Suite struct ParallelTests {
    private func run(_ types: [String], parallelNodes: Int, wanted: Int) async -> Meeting {
        let meeting = Meeting()
        var harness = Harness(packs: [stubPack, meeting.pack(wanted: wanted)])
        harness.parallelNodes = parallelNodes
        var nodes: [Prompt.Entry] = []
        for (index, type) in types.enumerated() {
            nodes.append(node("n\(index)", type, ["number": .literal(.int(Int64(index)))]))
            nodes.append(node("s\(index)", "Show", ["value": link("n\(index)")]))
        }
        let outcome = await harness.run(Prompt(nodes))
        #expect(outcome.log.lines.last == "success")
        return meeting
    }

    @Test func independentNodesComputeAtTheSameTime() async {
        #expect(await run(["Compute", "Compute", "Compute"], parallelNodes: 2, wanted: 2).most == [.computing: 2])
        #expect(await run(["Compute", "Compute", "Compute"], parallelNodes: 1, wanted: 1).most == [.computing: 1])
    }

    @Test func samplersDoNot() async {
        #expect(await run(["Sample", "Sample", "Sample"], parallelNodes: 4, wanted: 1).most == [.sampling: 1])
    }

    @Test func loadingGoesOnBesideComputing() async {
        let meeting = await run(["Read", "Compute"], parallelNodes: 1, wanted: 2)
        #expect(meeting.total == 2)
    }

    @Test func anyNumberWaits() async {
        #expect(await run(Array(repeating: "Wait", count: 20), parallelNodes: 1, wanted: 20).most == [.waiting: 20])
    }

    @Test func resultsDoNotDependOnIt() async throws {
        var random = SplitMix(state: 20_261_121)
        for round in 0..<30 {
            // A random graph of sums over constants and earlier nodes; the expected values come from plain arithmetic.
            var nodes: [Prompt.Entry] = []
            var values: [Int] = []
            for index in 0..<40 {
                var sum = 0
                var inputs: [(String, PromptValue)] = []
                for name in ["a", "b"] {
                    if index > 0, random.next() % 4 > 0 {
                        let source = Int(random.next() % UInt64(index))
                        sum += values[source]
                        inputs.append((name, link("n\(source)")))
                    } else {
                        sum += index
                        inputs.append((name, .literal(.int(Int64(index)))))
                    }
                }
                values.append(sum)
                nodes.append(
                    Prompt.Entry(
                        id: "n\(index)",
                        node: PromptNode(
                            classType: "Add", inputs: .init(uniqueKeysWithValues: inputs))))
                if random.next() % 3 == 0 { nodes.append(node("s\(index)", "Show", ["value": link("n\(index)")])) }
            }
            for parallelNodes in [1, 3] {
                var harness = Harness(cacheBytes: round % 2 == 0 ? 0 : 1 << 20)
                harness.parallelNodes = parallelNodes
                let outcome = await harness.run(Prompt(nodes))
                for (id, shown) in outcome.result.outputs {
                    let index = try #require(Int(id.dropFirst()))
                    #expect(shown["text"] == .array([.int(Int64(values[index]))]), "round \(round), node \(id)")
                }
                #expect(outcome.result.executed.count + outcome.result.cached.count >= outcome.result.outputs.count)
            }
        }
    }
}

/// Numbers that are the same in every run.
private struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
