import JSON
import NodeKit
import Testing
import Workflow

@testable import Engine

/// Expands in the way that `mode` names.
private struct ExpandNode: Node {
    static let info = NodeInfo("Expand", category: "test")
    @Input var mode: String
    @Input var value: Int
    @Output("sum") var sum: Int

    func run(_ context: NodeContext) async throws {
        var graph = context.subgraph()
        switch mode {
        case "sum":
            let add = graph.add("Add", ["a": .value(value), "b": 1])
            $sum.link(add[0])
        case "deep":
            if value == 0 {
                sum = 7
                return
            }
            let next = graph.add("Expand", ["mode": "deep", "value": .literal(.int(Int64(value - 1)))])
            $sum.link(next[0])
        case "twice":
            graph.add("Number", ["value": 1], named: "same")
            $sum.link(graph.add("Number", ["value": 2], named: "same")[0])
        case "unknown type": $sum.link(graph.add("Nothing")[0])
        case "unknown link": $sum.link(graph.add("Add", ["a": .link(GraphLink(node: "nowhere", slot: 0)), "b": 1])[0])
        case "unknown result": $sum.link(GraphLink(node: "nowhere", slot: 0))
        case "no such slot": $sum.link(graph.add("Number", ["value": 1])[3])
        case "failing": $sum.link(graph.add("Fail", ["value": .literal(.int(Int64(value)))])[0])
        case "outside": $sum.link(graph.add("Add", ["a": .link(GraphLink(node: "far", slot: 0)), "b": 1])[0])
        case "outputs":
            let add = graph.add("Add", ["a": .value(value), "b": 1])
            graph.add("Show", ["value": .link(add[0])])
            graph.add("Fail", ["value": 1])
            sum = 1
        case "several":
            let first = graph.add("Number", ["value": 20])
            var second = context.subgraph(1)
            let add = second.add("Add", ["a": .link(first[0]), "b": 22])
            try context.expand(second)
            $sum.link(add[0])
        default: throw NodeError("no mode \(mode)")
        }
        context.show(["mode": .array([.string(mode)])])
        try context.expand(graph)
    }
}

/// Names the lazy inputs of its text.
private struct WantNode: LazyNode {
    static let info = NodeInfo("Want", category: "test")
    @Input var names: String
    @Input(.lazy) var a: Int?
    @Input(.lazy, .optional) var b: Int?
    @Output("sum") var sum: Int
    func neededInputs(_ context: NodeContext) async throws -> [String] {
        names.split(separator: ",").map(String.init)
    }
    func run(_ context: NodeContext) async throws { sum = (a ?? 100) + (b ?? 1000) }
}

/// Waits for a day.
private struct SleepNode: Node {
    static let info = NodeInfo("Sleep", category: "test", work: .waiting)
    @Input var value: Int
    @Output("value") var result: Int
    func run(_ context: NodeContext) async throws {
        try await Task.sleep(for: .seconds(86400))
        result = value
    }
}

private let packs = [stubPack, NodePack("expansions", nodes: [ExpandNode.self, WantNode.self, SleepNode.self])]

@Suite struct ExpansionTests {
    private func run(_ mode: String, _ value: Int = 5, _ more: [Prompt.Entry] = []) async -> Harness.Outcome {
        await Harness(packs: packs).run(
            Prompt(
                more + [
                    node("x", "Expand", ["mode": .literal(.string(mode)), "value": .literal(.int(Int64(value)))]),
                    node("s", "Show", ["value": link("x")]),
                ]))
    }
    private func shown(_ outcome: Harness.Outcome) -> JSON? { outcome.result.outputs["s"]?["text"] }

    @Test func aResultComesFromTheExpansion() async {
        let outcome = await run("sum")
        #expect(shown(outcome) == .array([6]))
        #expect(
            outcome.log.lines == [
                "start", "cached []", "executing x", "executed x {\"mode\":[\"sum\"]}", "executing x.0.0.1",
                "executing s", "executed s {\"text\":[6]}", "success",
            ])
    }

    @Test func expansionsMayExpand() async {
        #expect(shown(await run("deep", 90)) == .array([7]))
    }

    @Test func idsOfDeepExpansionsStayShort() async {
        let outcome = await run("deep", 90)
        let longest = outcome.log.all.map { event in
            if case .executing(let node) = event.kind { node.id.utf8.count } else { 0 }
        }
        #expect((longest.max() ?? 0) < 120)
    }

    @Test(arguments: [
        ("twice", "DuplicateNodeError: the expansion has a node x.0.0.same, which exists already"),
        ("unknown type", "the expansion has a node of type Nothing, which does not exist"),
        (
            "unknown link",
            "the expansion's node x.0.0.1 has a link to node nowhere at input \"a\", which does not exist"
        ),
        ("unknown result", "an output is linked to node nowhere, which does not exist"),
        ("no such slot", "node x.0.0.1 of the expansion gave no output 3"),
    ]) func faultsAreTheNodesOwn(_ mode: String, _ message: String) async {
        #expect(await run(mode).log.lines.last == "error x \(message)")
    }

    /// The fault is found when the expansion has run, at no node's end: what sleeps is woken all the same.
    @Test(.timeLimit(.minutes(5))) func aFaultyExpansionWakesSleepers() async {
        let outcome = await Harness(packs: packs).run(
            Prompt([
                node("z", "Sleep", ["value": 1]), node("t", "Show", ["value": link("z")]),
                node("x", "Expand", ["mode": "no such slot", "value": 5]), node("s", "Show", ["value": link("x")]),
            ]))
        #expect(outcome.log.lines.last == "error x node x.0.0.1 of the expansion gave no output 3")
    }

    @Test func theNodeOfTheWorkflowIsBlamed() async {
        let outcome = await run("failing")
        guard case .failed(let failure) = outcome.result.status else { return #expect(Bool(false)) }
        #expect(failure.nodeID == "x" && failure.classType == "Expand")
        #expect(failure.message == "it was meant to fail at 5")
    }

    @Test func linksMayLeadOut() async {
        let far = [node("far", "Number", ["value": 40]), node("t", "Show", ["value": link("far")])]
        #expect(shown(await run("outside", 5, far)) == .array([41]))
    }

    @Test func valuesThatWereLetGoAreMadeAgain() async {
        // Nothing holds the number when the expansion asks for it, and the cache keeps nothing.
        let harness = Harness(cacheBytes: 0, packs: packs)
        let outcome = await harness.run(
            Prompt([
                node("s", "Show", ["value": link("x")]),
                node("x", "Expand", ["mode": "outside", "value": link("two")]),
                node("two", "Add", ["a": link("far"), "b": 1]), node("far", "Number", ["value": 40]),
            ]))
        #expect(shown(outcome) == .array([41]))
        #expect(outcome.log.lines.filter { $0 == "executing far" }.count == 2)
    }

    @Test func outputNodesOfAnExpansionRunAndUnneededOnesDoNot() async {
        let outcome = await run("outputs")
        #expect(outcome.log.lines.last == "success")
        #expect(outcome.result.outputs["x.0.0.2"]?["text"] == .array([6]))
    }

    @Test func severalPiecesMayBeLinked() async {
        #expect(shown(await run("several")) == .array([42]))
    }

    @Test func theResultOfTheWholeIsKept() async {
        let harness = Harness(packs: packs)
        let prompt = Prompt([
            node("x", "Expand", ["mode": "deep", "value": 3]), node("s", "Show", ["value": link("x")]),
        ])
        _ = await harness.run(prompt)
        #expect(await harness.run(prompt).result.executed.isEmpty)
    }
}

@Suite struct LazyTests {
    private func run(_ names: String, _ inputs: KeyValuePairs<String, PromptValue>) async -> Harness.Outcome {
        var want = node("w", "Want", inputs)
        want.node.inputs["names"] = .literal(.string(names))
        return await Harness(packs: packs).run(
            Prompt([
                node("1", "Number", ["value": 1]), node("2", "Number", ["value": 2]), want,
                node("s", "Show", ["value": link("w")]),
            ]))
    }
    private func shown(_ outcome: Harness.Outcome) -> JSON? { outcome.result.outputs["s"]?["text"] }

    @Test func onlyWhatIsAskedForRuns() async {
        let none = await run("", ["a": link("1"), "b": link("2")])
        #expect(shown(none) == .array([1100]))
        #expect(none.result.executed == ["w", "s"])
        let one = await run("b", ["a": link("1"), "b": link("2")])
        #expect(shown(one) == .array([102]))
        #expect(
            one.log.lines.filter { $0.hasPrefix("executing") } == [
                "executing w", "executing 2", "executing w", "executing s",
            ])
        #expect(shown(await run("b,a,a", ["a": link("1"), "b": link("2")])) == .array([3]))
    }

    @Test func constantsNeedNotBeAskedFor() async {
        #expect(shown(await run("a", ["a": 5])) == .array([1005]))
    }

    @Test func namesThatAreNotThereAreErrors() async {
        #expect(
            await run("c", ["a": link("1")]).log.lines.last
                == "error w the node asked for \"c\" to be evaluated, but has no input of that name")
        #expect(
            await run("b", ["a": link("1")]).log.lines.last
                == "error w the node asked for \"b\" to be evaluated, but got no link at its input of that name")
    }

    @Test func aRequiredLazyInputMustBeGiven() async {
        #expect(await run("", [:]).report.nodes.first?.faults.map(\.kind) == [.requiredInputMissing])
    }

    @Test func whatOthersHaveMadeIsThereUnasked() async {
        let outcome = await Harness(packs: packs).run(
            Prompt([
                node("1", "Number", ["value": 1]), node("t", "Show", ["value": link("1")]),
                node("w", "Want", ["names": "", "a": link("1")]),
                node("s", "Show", ["value": link("w")]),
            ]))
        #expect(outcome.result.outputs["s"]?["text"] == .array([1001]))
    }
}
