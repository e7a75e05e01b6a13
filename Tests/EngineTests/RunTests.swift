import Engine
import JSON
import NodeKit
import Synchronization
import Testing
import Workflow

private func shown(_ values: JSON...) -> JSON { .object(["text": .array(values)]) }

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
        #expect(outcome.result.outputs == ["out": shown(3)])
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
        #expect(again.result.outputs == ["out": shown(3)])
    }

    @Test func aCachedOutputThatShowsNothingIsReportedWithNull() async {
        let prompt = Prompt([node("n", "Number", ["value": 1]), node("s", "Silent", ["value": link("n")])])
        let harness = Harness()
        #expect(await harness.run(prompt).log.lines.contains { $0.hasPrefix("executed") } == false)
        #expect(
            await harness.run(prompt).log.lines == ["start", "cached [\"n\", \"s\"]", "executed s null", "success"])
    }

    @Test func onlyWhatChangedRunsAgain() async {
        let harness = Harness()
        _ = await harness.run(sum)
        var changed = sum
        changed["sum"]?.inputs["b"] = 5
        let again = await harness.run(changed)
        #expect(again.result.executed == ["sum", "out"])
        #expect(again.result.cached == ["one"])
        #expect(again.result.outputs == ["out": shown(6)])
    }

    @Test func resultsDoNotDependOnNodeIDsOrOrder() async {
        let harness = Harness()
        _ = await harness.run(sum)
        let renumbered = Prompt([
            node("7", "Number", ["value": 1]), node("8", "Add", ["b": 2, "a": link("7")]),
            node("9", "Show", ["value": link("8")]),
        ])
        let again = await harness.run(renumbered)
        #expect(again.result.executed.isEmpty)
        #expect(again.result.outputs == ["9": shown(3)])
    }

    @Test func identicalTwinsRunOnceAndBothShow() async {
        let twins = Prompt([
            node("n", "Number", ["value": 4]), node("a", "Show", ["value": link("n")]),
            node("b", "Show", ["value": link("n")]),
        ])
        let outcome = await Harness().run(twins)
        #expect(outcome.result.executed == ["n", "a"])
        #expect(outcome.result.outputs == ["a": shown(4), "b": shown(4)])
        #expect(outcome.log.lines.contains("executed b {\"text\":[4]}"))
        #expect(!outcome.log.lines.contains("executing b"))
    }

    @Test func aNodeThatUsesItsIDSharesNothing() async {
        let own = Prompt([
            node("x", "Own", ["value": 1]), node("y", "Own", ["value": 1]), node("a", "Show", ["value": link("x")]),
            node("b", "Show", ["value": link("y")]),
        ])
        let harness = Harness()
        let outcome = await harness.run(own)
        #expect(outcome.result.outputs == ["a": shown("x"), "b": shown("y")])
        #expect(await harness.run(own).result.executed.isEmpty)
    }

    @Test func valuesAreWrittenBackBeforeTheRun() async {
        let prompt = Prompt([
            node("n", "Number", ["value": value(.string(" 7 "))]), node("s", "Show", ["value": link("n")]),
        ])
        let outcome = await Harness().run(prompt)
        #expect(outcome.report.validated?.prompt["n"]?.inputs["value"] == 7)
        #expect(outcome.result.outputs == ["s": shown(7)])
    }

    @Test func onlyWhatOutputsNeedRuns() async {
        let loose = Prompt([
            node("loose", "Number", ["value": 1000]), node("n", "Number", ["value": 3]),
            node("s", "Show", ["value": link("n")]),
        ])
        let outcome = await Harness().run(loose)
        #expect(outcome.report.isClean, "nodes that nothing needs are not validated")
        #expect(outcome.result.executed == ["n", "s"])
    }

    @Test func targetsChooseAmongOutputs() async {
        let prompt = Prompt([
            node("n", "Number", ["value": 3]), node("m", "Number", ["value": 4]),
            node("a", "Show", ["value": link("n")]), node("b", "Show", ["value": link("m")]),
        ])
        #expect(await Harness().run(prompt, targets: ["b", "n", "nowhere"]).result.executed == ["m", "b"])
        #expect(await Harness().run(prompt, targets: []).report.error?.kind == .promptHasNoOutputs)
    }

    @Test func anOutputNodeCanFeedOthers() async {
        let echo = NodeDefinition(
            schema: NodeSchema(
                id: "Echo", displayName: "Echo", category: "test", isOutput: true,
                inputs: [InputSchema(name: "value", kind: .type("INT"))],
                outputs: [OutputSchema(name: "value", type: "INT")])
        ) { inputs, _ in [inputs["value"] ?? []] }
        let harness = Harness(packs: [stubPack, NodePack("echo", definitions: [echo])])
        let prompt = Prompt([
            node("n", "Number", ["value": 3]), node("e", "Echo", ["value": link("n")]),
            node("s", "Show", ["value": link("e")]),
        ])
        let outcome = await harness.run(prompt)
        #expect(outcome.result.executed == ["n", "e", "s"])
        #expect(outcome.result.outputs == ["s": shown(3)])
        var more = prompt
        more.nodes["t"] = PromptNode(classType: "Add", inputs: ["a": link("e"), "b": 1])
        more.nodes["u"] = PromptNode(classType: "Show", inputs: ["value": link("t")])
        let again = await harness.run(more)
        #expect(again.result.executed == ["t", "u"], "a cached output node serves as a source")
        #expect(again.result.outputs["u"] == shown(4))
    }

    @Test func progressAndWarningsCarryTheNode() async {
        let prompt = Prompt([node("w", "Steps", ["steps": 2]), node("s", "Show", ["value": link("w")])])
        let lines = await Harness().run(prompt).log.lines
        #expect(
            lines == [
                "start", "cached []", "executing w", "progress w 1/2", "progress w 2/2", "warning w done",
                "executing s", "executed s {\"text\":[2]}", "success",
            ])
    }

    @Test func eventsCanBeReadAsAStream() async throws {
        let harness = Harness()
        let validated = try #require(await harness.engine.validate(sum).validated)
        var names: [String] = []
        for await event in harness.engine.events(of: validated, options: RunOptions(promptID: "p")) {
            #expect(event.promptID == "p")
            names.append(event.name)
        }
        #expect(
            names == [
                "execution_start", "execution_cached", "executing", "node_finished", "executing", "node_finished",
                "executing", "executed", "node_finished", "execution_success",
            ])
    }

    @Test func leavingTheStreamCancelsTheRun() async throws {
        let harness = Harness()
        let prompt = Prompt([node("w", "Steps", ["steps": 100_000_000]), node("s", "Show", ["value": link("w")])])
        let validated = try #require(await harness.engine.validate(prompt).validated)
        let control = RunControl()
        for await event in harness.engine.events(of: validated, options: RunOptions(control: control)) {
            if case .progress = event.kind { break }
        }
        #expect(control.isCancelled)
    }

    @Test func eventsAreWhatTheServerSends() async throws {
        let log = await Harness().run(sum, options: RunOptions(promptID: "p")).log
        let messages = log.all.map(\.json)
        #expect(messages[1]["type"] == "execution_cached")
        #expect(messages[1]["data"]?["nodes"] == .array([]))
        #expect(messages[1]["data"]?["timestamp"]?.intValue ?? 0 > 1_600_000_000_000)
        #expect(
            messages[2]
                == .object([
                    "type": "executing",
                    "data": .object(["prompt_id": "p", "node": "one", "display_node": "one"]),
                ]))
        let shown = messages.first { $0["type"] == "executed" }
        #expect(shown?["data"]?["output"] == .object(["text": .array([3])]))
    }

    @Test func everyOutputIsObservedAlsoCachedOnes() async {
        let harness = Harness()
        for _ in 0..<2 {
            let seen = Mutex<[String]>([])
            var options = RunOptions()
            options.resultObserver = { node, outputs in
                seen.withLock { $0.append("\(node) \(outputs.map(\.count))") }
            }
            _ = await harness.run(sum, options: options)
            #expect(seen.withLock { $0.sorted() } == ["one [1]", "out []", "sum [1]"])
        }
    }
}

@Suite struct FailingRunTests {
    let prompt = Prompt([
        node("n", "Number", ["value": 3]), node("bad", "Fail", ["value": link("n")]),
        node("a", "Show", ["value": link("bad")]), node("b", "Show", ["value": link("n")]),
    ])

    @Test func theFirstErrorEndsTheRunAndNamesTheNode() async throws {
        let harness = Harness()
        let outcome = await harness.run(prompt)
        guard case .failed(let failure) = outcome.result.status else {
            Issue.record("the run should have failed")
            return
        }
        #expect(failure.nodeID == "bad")
        #expect(failure.classType == "Fail")
        #expect(failure.message == "it was meant to fail at 3")
        #expect(failure.exceptionType == "NodeError")
        #expect(failure.inputs == ["value": .array([3])])
        #expect(failure.executed == outcome.result.executed)
        #expect(outcome.log.lines.last == "error bad it was meant to fail at 3")
        #expect(!outcome.log.lines.contains("success"))
    }

    @Test func finishedNodesStayCachedAndTheFailedOneDoesNot() async {
        let harness = Harness()
        _ = await harness.run(prompt)
        let again = await harness.run(prompt)
        #expect(again.result.cached.contains("n"))
        #expect(again.log.lines.contains("executing bad"))
    }

    @Test func aMissingOutputIsTheNodesFault() async {
        let empty = NodeDefinition(
            schema: NodeSchema(
                id: "Empty", displayName: "Empty", category: "test", inputs: [],
                outputs: [OutputSchema(name: "value", type: "INT")])
        ) { _, _ in [] }
        let harness = Harness(packs: [stubPack, NodePack("empty", definitions: [empty])])
        let outcome = await harness.run(
            Prompt([node("e", "Empty"), node("s", "Show", ["value": link("e")])]))
        #expect(outcome.log.lines.last == "error e node Empty gave 0 outputs instead of 1")
    }
}

@Suite struct CancellationTests {
    let prompt = Prompt([
        node("n", "Number", ["value": 3]), node("w", "Steps", ["steps": 1_000_000]),
        node("sum", "Add", ["a": link("w"), "b": link("n")]), node("s", "Show", ["value": link("sum")]),
    ])

    @Test func aRunEndsBetweenSteps() async throws {
        let harness = Harness()
        let control = RunControl()
        let log = EventLog()
        let validated = try #require(await harness.engine.validate(prompt).validated)
        let result = await harness.engine.run(validated, options: RunOptions(control: control)) { event in
            if case .progress(_, 5, _) = event.kind { control.cancel() }
            log.append(event)
        }
        guard case .interrupted = result.status else {
            Issue.record("the run should have been interrupted")
            return
        }
        #expect(log.lines.suffix(2) == ["progress w 5/1000000", "interrupted w"])
        #expect(result.executed == ["n"])
        // What had finished is kept; what was interrupted is not.
        var shorter = prompt
        shorter["w"]?.inputs["steps"] = 2
        #expect(await harness.run(shorter).result.cached == ["n"])
    }

    @Test func aRunCancelledBeforehandRunsNothing() async {
        let control = RunControl()
        control.cancel()
        let outcome = await Harness().run(prompt, options: RunOptions(control: control))
        #expect(outcome.result.executed.isEmpty)
        #expect(outcome.log.lines.last?.hasPrefix("interrupted") == true)
    }

    @Test func cancellingTheTaskCancelsTheRun() async {
        let prompt = prompt
        let task = Task { await Harness().run(prompt) }
        task.cancel()
        let outcome = await task.value
        #expect(!outcome.log.lines.contains("success"))
    }
}
