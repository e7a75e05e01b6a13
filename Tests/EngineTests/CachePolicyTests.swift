import JSON
import Testing
import Workflow

@testable import Engine

/// engine-semantics.md §14.
@Suite struct CachePolicyTests {
    private func harness(_ policy: ResultCache.Policy) -> Harness {
        Harness(cache: ResultCache(byteLimit: 1 << 20, policy: policy))
    }
    /// Three nodes: n, a = n + 1, s.
    private func prompt(_ number: Int) -> Prompt {
        Prompt([
            node("n", "Number", ["value": .literal(.int(Int64(number)))]), node("a", "Add", ["a": link("n"), "b": 1]),
            node("s", "Show", ["value": link("a")]),
        ])
    }
    private func executed(_ harness: Harness, _ number: Int) async -> Int {
        await harness.run(prompt(number)).result.executed.count
    }

    @Test func allThatFitIsKept() async {
        let harness = harness(.all)
        for number in 1...5 { #expect(await executed(harness, number) == 3) }
        for number in 1...5 { #expect(await executed(harness, number) == 0) }
    }

    @Test func theClassicOneKeepsThePresentPrompt() async {
        let harness = harness(.presentPrompt)
        #expect(await executed(harness, 1) == 3)
        #expect(await executed(harness, 1) == 0)
        #expect(await executed(harness, 2) == 3)
        #expect(harness.engine.cache.statistics.entries == 3)
        #expect(await executed(harness, 1) == 3)
    }

    @Test func aCountKeepsThePromptsRunLast() async {
        let harness = harness(.count(6))
        for number in 1...3 { #expect(await executed(harness, number) == 3) }
        // The third began with six entries, none too many; the next one drops the first prompt's three.
        #expect(await executed(harness, 3) == 0)
        #expect(harness.engine.cache.statistics.entries == 6)
        #expect(await executed(harness, 2) == 0)
        #expect(await executed(harness, 1) == 3)
    }

    @Test func noneKeepsNothing() async {
        let harness = harness(.none)
        for _ in 0..<2 { #expect(await executed(harness, 1) == 3) }
        #expect(harness.engine.cache.statistics.entries == 0)
    }
}
