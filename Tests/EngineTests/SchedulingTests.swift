import JSON
import NodeKit
import Testing
import Workflow

@testable import Engine

@Suite struct ListMappingTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var name: String
        var nodes: [Prompt.Entry]
        /// What the Show node gets in each of its calls.
        var shown: [JSON]
        var testDescription: String { name }
    }

    static let rows = [
        Row(
            name: "a list calls once per element", nodes: [node("x", "Add", ["a": link("three"), "b": 10])],
            shown: [11, 12, 13]),
        Row(
            name: "two lists go in step", nodes: [node("x", "Add", ["a": link("three"), "b": link("three")])],
            shown: [2, 4, 6]),
        Row(
            name: "a shorter list repeats its last element",
            nodes: [node("x", "Add", ["a": link("three"), "b": link("two")])], shown: [2, 4, 5]),
        Row(
            name: "a node that takes lists is called once",
            nodes: [node("x", "Total", ["values": link("three"), "scale": 2])], shown: [12]),
        Row(
            name: "of other inputs it reads the first value",
            nodes: [node("x", "Total", ["values": link("three"), "scale": link("two")])], shown: [6]),
        Row(name: "a constant is a list of one", nodes: [node("x", "Total", ["values": 7, "scale": 2])], shown: [14]),
        Row(
            name: "lists of several calls are joined",
            nodes: [node("x", "Range", ["count": link("three")])], shown: [1, 1, 2, 1, 2, 3]),
        Row(
            name: "an empty list reaches a node that takes lists",
            nodes: [node("x", "Total", ["values": link("none"), "scale": 2])], shown: [0]),
    ]

    private static func prompt(_ nodes: [Prompt.Entry]) -> Prompt {
        Prompt(
            [
                node("none", "Range", ["count": 0]), node("two", "Range", ["count": 2]),
                node("three", "Range", ["count": 3]),
            ] + nodes + [node("s", "Show", ["value": link("x")])])
    }

    @Test(arguments: rows) func everyRow(_ row: Row) async {
        let outcome = await Harness().run(Self.prompt(row.nodes))
        #expect(outcome.result.outputs["s"]?["text"]?.arrayValue == row.shown, "\(outcome.log.lines)")
    }

    @Test func anEmptyListIsAnErrorForANodeThatTakesSingleValues() async {
        for inputs in [["a": link("none"), "b": 1], ["a": link("none"), "b": link("none")]]
            as [KeyValuePairs<String, PromptValue>]
        {
            let outcome = await Harness().run(Self.prompt([node("x", "Add", inputs)]))
            #expect(
                outcome.log.lines.last
                    == "error x input \"a\": the list on its link is empty, at least one value is needed")
        }
    }

    @Test func cancellationIsCheckedBeforeEveryCall() async throws {
        let control = RunControl()
        let harness = Harness()
        let validated = try #require(
            await harness.engine.validate(Self.prompt([node("x", "Steps", ["steps": link("three")])])).validated)
        let log = EventLog()
        _ = await harness.engine.run(validated, options: RunOptions(control: control)) { event in
            if case .progress(_, 2, 2) = event.kind { control.cancel() }
            log.append(event)
        }
        #expect(
            log.lines.filter { $0.hasPrefix("progress") } == ["progress x 1/1", "progress x 1/2", "progress x 2/2"])
        #expect(log.lines.last == "interrupted x")
    }

    @Test func whatSeveralCallsShowIsJoinedByName() {
        #expect(mergeUI([]) == nil)
        #expect(
            mergeUI([["images": .array([1]), "n": 1], ["images": .array([2]), "more": .array([3])], ["n": 2]])
                == ["images": .array([1, 2]), "n": 2, "more": .array([3])])
    }
}

@Suite struct OrderTests {
    private func order(_ edges: [(from: Int, to: Int)], adding: [Int], outputs: Set<Int>) -> [Int] {
        var list = ExecutionList(count: 10)
        for node in adding { list.add(node, isOutput: outputs.contains(node)) }
        for edge in edges { list.block(edge.to, on: edge.from) }
        list.start()
        var order: [Int] = []
        while let node = list.take() {
            order.append(node)
            list.finish(node)
        }
        return order
    }

    @Test func amongEqualsTheFirstAddedComesFirst() {
        #expect(order([], adding: [3, 1, 2], outputs: []) == [3, 1, 2])
    }

    @Test func outputsComeFirst() {
        #expect(order([], adding: [3, 1, 2], outputs: [2]) == [2, 3, 1])
    }

    @Test func thenWhatAnOutputWaitsForThenWhatThatWaitsFor() {
        // 0 → 1 → 2 → 9(out); 5 → 6 → 7 → 8 → 9; 3 → 9
        let edges = [(0, 1), (1, 2), (2, 9), (5, 6), (6, 7), (7, 8), (8, 9), (3, 9)].map { (from: $0.0, to: $0.1) }
        #expect(order(edges, adding: [9, 8, 7, 6, 5, 2, 1, 0, 3], outputs: [9]) == [3, 5, 6, 7, 8, 0, 1, 2, 9])
    }

    @Test func aCircleLeavesItsNodesStuck() {
        var list = ExecutionList(count: 3)
        for node in 0..<3 { list.add(node, isOutput: false) }
        list.block(0, on: 1)
        list.block(1, on: 0)
        list.start()
        #expect(list.take() == 2)
        list.finish(2)
        #expect(list.take() == nil)
        #expect(list.remaining == 2)
        #expect(list.circle().sorted() == [0, 1])
    }

    @Test func eachOutputIsFinishedBeforeTheNextIsBegun() async {
        var nodes: [Prompt.Entry] = []
        for branch in 0..<3 {
            nodes.append(node("n\(branch)", "Number", ["value": .literal(.int(Int64(branch)))]))
            nodes.append(node("a\(branch)", "Add", ["a": link("n\(branch)"), "b": 1]))
            nodes.append(node("s\(branch)", "Show", ["value": link("a\(branch)")]))
        }
        let executed = await Harness().run(Prompt(nodes)).result.executed
        for branch in 0..<3 {
            let slice = Array(executed[(3 * branch)..<(3 * branch + 3)])
            #expect(slice.map { $0.last } == Array(repeating: slice[0].last, count: 3), "\(executed)")
        }
    }
}
