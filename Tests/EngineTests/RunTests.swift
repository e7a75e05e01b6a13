import Engine
import JSON
import NodeKit
import Testing
import Workflow

@Suite struct RunTests {
    let sum = Prompt([
        node("out", "Show", ["value": link("sum")]), node("sum", "Add", ["a": link("one"), "b": 2]),
        node("one", "Number", ["value": 1]),
    ])

    @Test func aChainRunsInOrderAndReportsItsEvents() async {
        let outcome = await Harness().run(sum)
        #expect(outcome.report.isClean)
        #expect(
            outcome.log.lines == [
                "start", "cached []", "executing one", "executing sum", "executing out",
                "executed out {\"text\":[3]}", "success",
            ])
        #expect(outcome.result.executed == ["one", "sum", "out"])
        #expect(outcome.result.outputs == ["out": .object(["text": .array([.int(3)])])])
    }

    @Test func aSecondRunRepeatsNothingAndStillShowsItsOutput() async {
        let harness = Harness()
        _ = await harness.run(sum)
        let again = await harness.run(sum)
        #expect(again.result.executed.isEmpty)
        #expect(again.result.cached == ["out", "sum", "one"])
        #expect(
            again.log.lines == [
                "start", "cached [\"out\", \"sum\", \"one\"]", "executed out {\"text\":[3]}", "success",
            ])
        #expect(again.result.outputs == ["out": .object(["text": .array([.int(3)])])])
    }
}
