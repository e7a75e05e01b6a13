import JSON
import NodeKit
import Testing
import Workflow

@testable import Engine

/// A prompt whose output "out" needs "x", the node under test.
private func around(_ type: String, _ inputs: KeyValuePairs<String, PromptValue>) -> Prompt {
    Prompt([
        node("n", "Number", ["value": 1]), node("p", "Picture", ["size": 4, "value": value(.double(0.5))]),
        node("x", type, inputs), node("out", "Show", ["value": link("x")]),
    ])
}

private func faults(_ prompt: Prompt, at id: String = "x", files: StubFiles = StubFiles()) async -> [PromptFault] {
    let report = await Harness(files: files).engine.validate(prompt)
    return report.nodes.first { $0.id == id }?.faults ?? []
}

/// Inputs of "Literals" that are all right, with some replaced.
private func literals(_ changed: [String: PromptValue] = [:], without missing: Set<String> = []) -> Prompt {
    let good: [(String, PromptValue)] = [
        ("count", 3), ("seed", 5), ("strength", value(.double(0.5))), ("text", "t"), ("flag", value(.bool(true))),
        ("colour", "red"),
    ]
    var inputs = PromptNode(classType: "Literals")
    for (name, value) in good where !missing.contains(name) { inputs.inputs[name] = value }
    for (name, value) in changed { inputs.inputs[name] = value }
    return Prompt(nodes: ["x": inputs])
}

@Suite struct CatalogueTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var name: String
        var changed: [String: PromptValue] = [:]
        var missing: Set<String> = []
        var kind: PromptFault.Kind
        var message: String
        var details: String
        var testDescription: String { name }
    }

    static let rows = [
        Row(
            name: "missing", missing: ["text"], kind: .requiredInputMissing, message: "Required input is missing",
            details: "text"),
        Row(
            name: "malformed link", changed: ["count": .malformedLink([4, 0])], kind: .badLink,
            message: "Bad linked input, must be a length-2 list of [node_id, slot_index]", details: "count"),
        Row(
            name: "dangling link", changed: ["count": link("nowhere")], kind: .badLink,
            message: "Bad linked input, must be a length-2 list of [node_id, slot_index]", details: "count"),
        Row(
            name: "not an integer", changed: ["count": "three"], kind: .invalidInputType,
            message: "Failed to convert an input value to a INT value", details: "count, 'three', not an integer"),
        Row(
            name: "not a number", changed: ["strength": value(.null)], kind: .invalidInputType,
            message: "Failed to convert an input value to a FLOAT value", details: "strength, None, not a number"),
        Row(
            name: "not finite", changed: ["strength": value(.double(.nan))], kind: .invalidInputType,
            message: "Failed to convert an input value to a FLOAT value",
            details: "strength, nan, not a finite number"),
        Row(
            name: "constant for a picture", changed: ["image": "abc"], kind: .invalidInputType,
            message: "Failed to convert an input value to a IMAGE value",
            details: "image, 'abc', a constant where a link is needed"),
        Row(
            name: "too small", changed: ["count": 0], kind: .tooSmall, message: "Value 0 smaller than min of 1",
            details: "count"),
        Row(
            name: "too big", changed: ["strength": value(.double(1.5))], kind: .tooBig,
            message: "Value 1.5 bigger than max of 1.0", details: "strength"),
        Row(
            name: "not in list", changed: ["colour": "grene"], kind: .notInList, message: "Value not in list",
            details: "colour: 'grene' not in ['red', 'green', 'blue']"),
        Row(
            name: "number in a combo", changed: ["colour": 3], kind: .notInList, message: "Value not in list",
            details: "colour: '3' not in ['red', 'green', 'blue']"),
        Row(
            name: "missing file", changed: ["file": "c.safetensors"], kind: .notInList, message: "Value not in list",
            details: "file: 'c.safetensors' not in ['None', 'a.safetensors', 'sub/b.safetensors']"),
        Row(
            name: "missing picture", changed: ["picture": "y.png"], kind: .customValidation,
            message: "Custom validation failed for node", details: "picture - Invalid image file: y.png"),
    ]

    @Test(arguments: rows) func everyRow(_ row: Row) async throws {
        let found = await faults(literals(row.changed, without: row.missing))
        try #require(found.count == 1)
        #expect(found[0].kind == row.kind)
        #expect(found[0].message == row.message)
        #expect(found[0].details == row.details)
        #expect(found[0].extraInfo["input_name"] != nil)
        #expect(found[0].found != nil && found[0].allowed != nil)
    }

    @Test func aGoodNodeHasNone() async { #expect(await faults(literals()).isEmpty) }

    @Test func faultsOfOneNodeAreReportedTogetherInDeclaredOrder() async {
        let found = await faults(
            literals(["colour": "x", "count": 99, "strength": "y"], without: ["text"]))
        #expect(found.map(\.input) == ["count", "strength", "text", "colour"])
    }

    @Test func typesMustFit() async {
        let found = await faults(around("Add", ["a": link("p"), "b": 1]))
        #expect(found.map(\.kind) == [.typeMismatch])
        #expect(found[0].details == "a, received_type(IMAGE) mismatch input_type(INT)")
        #expect(found[0].extraInfo["received_type"] == "IMAGE")
        #expect(found[0].extraInfo["linked_node"] == .array(["p", 0]))
        #expect(found[0].extraInfo["input_config"] == .array(["INT", .object([:])]))
    }

    @Test(arguments: [-1, 1, Int.max]) func slotsMustExist(_ slot: Int) async {
        let found = await faults(around("Add", ["a": link("n", slot), "b": 1]))
        #expect(found.map(\.kind) == [.badLink])
        #expect(found[0].found == "output \(slot) of node n (Number)")
    }

    @Test func longListsAreNotSpelledOut() async {
        let files = StubFiles(models: ["loras": (0..<30).map { "file\($0).safetensors" }])
        let found = await faults(literals(["file": "fiel7.safetensors"]), files: files)
        #expect(found[0].details == "file: 'fiel7.safetensors' not in (list of length 31)")
        #expect(found[0].extraInfo["input_config"] == .null)
        #expect(found[0].nearest == "file7.safetensors")
    }

    @Test func combosSayTheNearestNameAndWhereFilesBelong() async {
        #expect(await faults(literals(["colour": "grene"]))[0].nearest == "green")
        let file = await faults(literals(["file": "a.safetensor"]))[0]
        #expect(file.nearest == "a.safetensors")
        #expect(file.allowed?.contains("/models/loras") == true)
        #expect(await faults(literals(["picture": "X.PNG"]))[0].nearest == "x.png")
    }

    @Test func aComboTakesComboLinksOnly() async {
        let good = Prompt([
            node("c", "Name", ["text": "red"]),
            node(
                "x", "Literals",
                [
                    "count": 3, "seed": 1, "strength": 1, "text": "t", "flag": value(.bool(true)), "colour": link("c"),
                ]),
        ])
        #expect(await faults(good).isEmpty)
        var bad = good
        bad.nodes["o"] = PromptNode(classType: "Own", inputs: ["value": 1])
        bad["x"]?.inputs["colour"] = link("o")
        let found = await faults(bad)
        #expect(found.map(\.kind) == [.typeMismatch])
        #expect(found[0].details == "colour, received_type(STRING) mismatch input_type(['red', 'green', 'blue'])")
    }

    @Test func rangesDoNotApplyToLinks() async {
        let prompt = Prompt([
            node("n", "Number", ["value": 100]), node("m", "Add", ["a": link("n"), "b": link("n")]),
            node("p", "Picture", ["size": link("m"), "value": 1]), node("s", "Silent", ["value": link("p")]),
        ])
        #expect(await Harness().engine.validate(prompt).isClean)
    }
}

@Suite struct ConversionTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var input: String
        var given: JSON
        var expected: JSON
        var testDescription: String { "\(input) \(given.text())" }
    }

    @Test(arguments: [
        Row(input: "count", given: "4", expected: 4), Row(input: "count", given: " 4\n", expected: 4),
        Row(input: "count", given: .double(1.7), expected: 1), Row(input: "count", given: .bool(true), expected: 1),
        Row(input: "seed", given: .uint(.max), expected: .uint(.max)),
        Row(input: "seed", given: "18446744073709551615", expected: .uint(.max)),
        Row(input: "seed", given: .double(20), expected: 20), Row(input: "seed", given: -1, expected: -1),
        Row(input: "strength", given: 1, expected: .double(1)),
        Row(input: "strength", given: "0.25", expected: .double(0.25)),
        Row(input: "strength", given: .bool(false), expected: .double(0)),
        Row(input: "text", given: 5, expected: "5"), Row(input: "text", given: .double(5), expected: "5.0"),
        Row(input: "text", given: .bool(false), expected: "False"), Row(input: "text", given: .null, expected: "None"),
        Row(input: "flag", given: "false", expected: .bool(true)),
        Row(input: "flag", given: "", expected: .bool(false)),
        Row(input: "flag", given: 0, expected: .bool(false)), Row(input: "flag", given: 2, expected: .bool(true)),
        Row(input: "anything", given: 5, expected: 5), Row(input: "anything", given: .double(5), expected: .double(5)),
        Row(input: "anything", given: .array([1, 2]), expected: .array([1, 2])),
        Row(input: "file", given: "sub\\b.safetensors", expected: "sub/b.safetensors"),
        Row(input: "file", given: "None", expected: "None"),
    ])
    func literalsAreConvertedAndWrittenBack(_ row: Row) async throws {
        let report = await Harness().engine.validate(literals([row.input: .literal(row.given)]))
        let validated = try #require(report.validated, "\(report.json.text())")
        #expect(validated.prompt["x"]?.inputs[row.input]?.literal == row.expected)
    }

    @Test func integersKeepAllTheirBits() async throws {
        let harness = Harness()
        let outcome = await harness.run(literals(["seed": value(.uint(18_446_744_073_709_551_615))]))
        #expect(outcome.result.outputs["x"]?["text"]?[1] == .uint(.max))
    }

    @Test func aNullForAnUnconnectedSocketCountsAsAbsent() async {
        #expect(await Harness().run(literals(["image": value(.null)])).log.lines.last == "success")
    }
}

@Suite struct TypeMatchTests {
    @Test(arguments: [
        ("INT", "INT", true), ("INT", "FLOAT", false), ("*", "IMAGE", true), ("IMAGE", "*", true),
        ("IMAGE", "IMAGE,MASK", true), ("IMAGE,MASK", "MASK", true), ("A,B", "B,C", true), ("A, B", "B ,C", true),
        ("A,B", "C,D", false), ("", "INT", false), ("A,*", "C", true), ("AB", "A", false),
    ])
    func matching(_ received: String, _ accepted: String, _ fits: Bool) {
        #expect(typesMatch(received: received, accepted: accepted) == fits)
    }
}

@Suite struct WholePromptTests {
    @Test func anUnknownNodeTypeRefusesThePromptAndIsExplained() async {
        let prompt = Prompt([
            node("1", "Nmuber", ["value": 1]), node("2", "Image Comparer (rgthree)"),
            node("3", "LoadImage"), node("s", "Show", ["value": link("1")]),
        ])
        let report = await Harness().engine.validate(prompt)
        #expect(report.validated == nil)
        #expect(report.error?.kind == .missingNodeType)
        #expect(report.error?.message == "Cannot execute because node Nmuber does not exist.")
        #expect(report.error?.details == "Node ID '#1'")
        #expect(report.error?.extraInfo["class_type"] == "Nmuber")
        #expect(report.nodes.map(\.id) == ["1", "2", "3"], "all unknown types, reported together")
        #expect(report.nodes[0].faults[0].nearest == "Number")
        #expect(report.nodes[1].faults[0].allowed?.contains("rgthree/rgthree-comfy") == true)
        #expect(report.nodes[2].faults[0].allowed?.contains("ComfyUI's own") == true)
        #expect(report.nodes[0].dependentOutputs == ["s"])
    }

    @Test func aMissingClassTypeIsToldApart() async {
        let report = await Harness().engine.validate(Prompt(nodes: ["9": PromptNode(classType: "")]))
        #expect(report.error?.kind == .invalidPrompt)
        #expect(report.error?.message == "Cannot execute because a node is missing the class_type property.")
    }

    @Test func aPromptWithoutOutputsIsRefused() async {
        for prompt in [Prompt(), Prompt([node("n", "Number", ["value": 1])])] {
            let report = await Harness().engine.validate(prompt)
            #expect(report.error?.kind == .promptHasNoOutputs)
            #expect(report.error?.message == "Prompt has no outputs")
            #expect(report.json["node_errors"] == .object([:]))
        }
    }

    let mixed = Prompt([
        node("bad", "Number", ["value": 1000]), node("good", "Number", ["value": 1]),
        node("worse", "Add", ["a": link("bad")]), node("o1", "Show", ["value": link("worse")]),
        node("o2", "Show", ["value": link("bad")]), node("o3", "Show", ["value": link("good")]),
    ])

    @Test func oneBadOutputDoesNotRejectTheOthers() async {
        let outcome = await Harness().run(mixed)
        #expect(outcome.report.error == nil)
        #expect(outcome.report.validated?.outputs == ["o3"])
        #expect(outcome.result.executed == ["good", "o3"])
    }

    @Test func onlyNodesWithFaultsOfTheirOwnAreListedWithTheRightOutputs() async {
        let report = await Harness().engine.validate(mixed)
        #expect(report.nodes.map(\.id) == ["bad", "worse"])
        #expect(report.nodes.map(\.dependentOutputs) == [["o1", "o2"], ["o1"]])
        let json = report.json
        #expect(json["error"] == nil)
        #expect(json["node_errors"]?["worse"]?["class_type"] == "Add")
        #expect(json["node_errors"]?["worse"]?["dependent_outputs"] == .array(["o1"]))
        #expect(json["node_errors"]?["worse"]?["errors"]?[0]?["type"] == "required_input_missing")
    }

    @Test func ifAllOutputsFailThePromptIsRefusedWithTheOutputsOwnReasons() async {
        let report = await Harness().engine.validate(
            Prompt([
                node("a", "Show"), node("bad", "Number", ["value": 1000]), node("b", "Show", ["value": link("bad")]),
            ]))
        #expect(report.error?.kind == .outputsFailed)
        #expect(report.error?.message == "Prompt outputs failed validation")
        #expect(report.error?.details == "Required input is missing: value")
        #expect(report.validated == nil)
    }

    @Test func circlesAreReportedWithTheirPath() async {
        let prompt = Prompt([
            node("1", "Add", ["a": link("3"), "b": 1]), node("2", "Add", ["a": link("1"), "b": 1]),
            node("3", "Add", ["a": link("2"), "b": 1]), node("s", "Show", ["value": link("3")]),
            node("n", "Number", ["value": 1]), node("t", "Show", ["value": link("n")]),
        ])
        let report = await Harness().engine.validate(prompt)
        #expect(report.validated?.outputs == ["t"])
        let fault = report.nodes.first?.faults.first
        #expect(report.nodes.count == 1)
        #expect(fault?.kind == .dependencyCycle)
        #expect(fault?.message == "Dependency cycle detected")
        #expect(fault?.details == "3 (Add) -> 1 (Add) -> 2 (Add) -> 3 (Add)")
        #expect(fault?.extraInfo["cycle_nodes"] == .array(["3", "1", "2"]))
        #expect(report.nodes.first?.dependentOutputs == ["s"])
    }

    @Test func aNodeThatFeedsItselfIsACircle() async {
        let report = await Harness().engine.validate(
            Prompt([node("1", "Add", ["a": link("1"), "b": 1]), node("s", "Show", ["value": link("1")])]))
        #expect(report.nodes.first?.faults.first?.details == "1 (Add) -> 1 (Add)")
        #expect(report.validated == nil)
    }

    @Test func undeclaredInputsAreIgnored() async {
        let outcome = await Harness().run(
            Prompt([
                node("n", "Number", ["value": 1, "upload": "image", "more": link("nowhere")]),
                node("s", "Show", ["value": link("n")]),
            ]))
        #expect(outcome.report.isClean)
        #expect(outcome.log.lines.last == "success")
    }

    @Test func packsWithFaultsAreReported() {
        let registry = NodeRegistry([stubPack, NodePack("other", nodes: [NumberNode.self])])
        #expect(registry.problems == ["pack other: node \"Number\" is left out: pack stubs has one of that name"])
        #expect(registry.pack(of: "Number") == "stubs")
        let twice = NodeDefinition(
            schema: NodeSchema(
                id: "T", displayName: "T", category: "",
                inputs: [InputSchema(name: "a", kind: .type("INT")), InputSchema(name: "a", kind: .type("INT"))],
                outputs: [])
        ) { _, _ in [] }
        #expect(NodeRegistry([NodePack("p", definitions: [twice])]).problems.count == 1)
    }
}
