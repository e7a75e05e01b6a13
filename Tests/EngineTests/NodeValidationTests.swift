import Engine
import JSON
import NodeKit
import Testing
import Workflow

/// Judges two of its inputs itself.
private struct JudgeNode: ValidatingNode {
    static let info = NodeInfo("Judge", category: "test")
    static let checks = NodeChecks(ports: ["a", "b"])
    @Input(.range(0...5)) var a: Int
    @Input(.range(0...5)) var b: Int
    @Input(.range(0...5)) var c: Int
    @Output("sum") var sum: Int
    func run(_ context: NodeContext) async throws { sum = a + b + c }
    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        if $a.isGiven && a == 13 { throw NodeError("thirteen!") }
        if $a.isGiven && $b.isGiven && a > b { return "\(a) is more than \(b)" }
        return $a.isGiven && a < 0 ? "" : nil
    }
}

/// Judges link types, and everything else.
private struct TypeJudgeNode: ValidatingNode {
    static let info = NodeInfo("TypeJudge", category: "test", isOutput: true)
    static let checks = NodeChecks(ports: nil, linkTypes: true)
    @Input var value: Int
    func run(_ context: NodeContext) async throws {}
    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        types["value"] == "STRING" ? nil : "expected a STRING, got \(types["value"] ?? "a constant")"
    }
}

@Suite struct NodeValidationTests {
    private let harness = Harness(packs: [
        stubPack, NodePack("judges", nodes: [JudgeNode.self, TypeJudgeNode.self]),
    ])

    private func faults(_ inputs: KeyValuePairs<String, PromptValue>, isOutput: Bool = false) async -> [PromptFault] {
        let prompt = Prompt([
            node("n", "Number", ["value": 50]), node("x", "Judge", inputs), node("s", "Show", ["value": link("x")]),
        ])
        return await harness.engine.validate(prompt).nodes.flatMap(\.faults)
    }

    @Test func everyJudgedInputGetsTheReason() async {
        let found = await faults(["a": 4, "b": 3, "c": 1])
        #expect(found.map(\.kind) == [.customValidation, .customValidation])
        #expect(found.map(\.details) == ["a - 4 is more than 3", "b - 4 is more than 3"])
    }

    @Test func aRefusalWithoutReasonNamesTheInput() async {
        #expect(await faults(["a": -1, "b": 3, "c": 1]).map(\.details) == ["a", "b"])
    }

    @Test func rangesOfJudgedInputsAreLeftToTheNode() async {
        #expect(await faults(["a": 8, "b": 9, "c": 1]).isEmpty)
        #expect(await faults(["a": 8, "b": 9, "c": 6]).map(\.kind) == [.tooBig])
    }

    @Test func linkedInputsHaveNoValueYet() async {
        #expect(await faults(["a": link("n"), "b": 1, "c": 1]).isEmpty)
    }

    @Test func anErrorInsideIsReported() async {
        let found = await faults(["a": 13, "b": 14, "c": 1])
        #expect(found.map(\.kind) == [.innerException])
        #expect(found[0].message == "Exception when validating inner node")
        #expect(found[0].details == "thirteen!")
        #expect(found[0].extraInfo["exception_type"] == "NodeError")
    }

    @Test func linkTypesCanBeLeftToTheNode() async {
        for (source, expected) in [("n", ["value - expected a STRING, got INT"]), ("o", [])] {
            let report = await harness.engine.validate(
                Prompt([
                    node("n", "Number", ["value": 1]), node("o", "Own", ["value": 1]),
                    node("x", "TypeJudge", ["value": link(source)]),
                ]))
            #expect(report.nodes.flatMap(\.faults).map(\.details) == expected)
        }
    }
}
