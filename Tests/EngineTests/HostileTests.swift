import Engine
import Foundation
import JSON
import NodeKit
import Testing
import Workflow

@Suite struct HostileTests {
    @Test func aChainOfTenThousandNodes() async {
        let outcome = await Harness().run(chain(10_000))
        #expect(outcome.result.outputs["s"] == .object(["text": .array([9999])]))
    }

    @Test func aChainOfManyNodesNeedsNoStack() async {
        let outcome = await Harness(cacheBytes: 0).run(chain(200_000))
        #expect(outcome.log.lines.last == "success")
    }

    @Test func aHugeCircleIsReportedBriefly() async {
        var prompt = chain(100_000)
        prompt["0"] = PromptNode(classType: "Add", inputs: ["a": link("99999"), "b": 1])
        let report = await Harness().engine.validate(prompt)
        #expect(report.validated == nil)
        #expect(report.nodes.first?.faults.first?.kind == .dependencyCycle)
        #expect((report.nodes.first?.faults.first?.details.count ?? 0) < 5000)
    }

    @Test func aMillionNodesThatNothingNeedsAreNoBurden() async {
        var prompt = Prompt()
        for index in 0..<1_000_000 { prompt.nodes["\(index)"] = PromptNode(classType: "Number") }
        prompt.nodes["s"] = PromptNode(classType: "Show", inputs: ["value": link("5")])
        prompt["5"]?.inputs["value"] = 1
        let outcome = await Harness().run(prompt)
        #expect(outcome.result.executed == ["5", "s"])
    }

    @Test func manyFaultsEverywhereEnd() async {
        var nodes: [Prompt.Entry] = []
        for index in 0..<3000 {
            nodes.append(node("n\(index)", "Add", ["a": link("n\(max(0, index - 1))x"), "b": "x"]))
            nodes.append(node("s\(index)", "Show", ["value": link("n\(index)")]))
        }
        let report = await Harness().engine.validate(Prompt(nodes))
        #expect(report.nodes.count == 3000)
        #expect(report.validated == nil)
    }

    @Test func aWideGraphIsScheduledInReasonableTime() async {
        var nodes: [Prompt.Entry] = []
        for index in 0..<20_000 {
            nodes.append(node("n\(index)", "Number", ["value": .literal(.int(Int64(index % 100)))]))
        }
        for index in 0..<20_000 { nodes.append(node("s\(index)", "Show", ["value": link("n\(index)")])) }
        let outcome = await Harness().run(Prompt(nodes))
        #expect(outcome.result.outputs.count == 20_000)
    }

    @Test func oddIDsAndNamesAreOrdinary() async {
        for id in [
            "../../etc/passwd", "a\u{0}b", "\u{1B}[2J", "test_name[param]1", "", String(repeating: "x", count: 100_000),
        ] {
            let prompt = Prompt([node(id, "Number", ["value": 1]), node("s", "Show", ["value": link(id)])])
            #expect(await Harness().run(prompt).result.executed == [id, "s"])
        }
    }

    @Test func hugeTextsAreShortenedInMessages() async {
        let text = String(repeating: "é", count: 5_000_000)
        let report = await Harness().engine.validate(
            Prompt([node("n", "Number", ["value": .literal(.string(text))]), node("s", "Show", ["value": link("n")])]))
        let fault = report.nodes.first?.faults.first
        #expect(fault?.kind == .invalidInputType)
        #expect((fault?.details.count ?? .max) < 1000)
        #expect((fault?.found?.count ?? .max) < 1000)
    }

    @Test(arguments: [
        JSON.double(.nan), .double(.infinity), .double(-1e308), .int(.min), .int(.max), .uint(.max), .string("-0x1p3"),
        .string("1e999"), .array([]), .object([:]), .object(["__value__": 1]), .array([.array([.null])]),
    ])
    func oddNumbersEndInAnErrorOrAValue(_ json: JSON) async {
        for input in ["count", "seed", "strength", "text", "flag", "colour", "file", "picture", "anything", "image"] {
            var inputs: [(String, PromptValue)] = [
                ("count", 3), ("seed", 5), ("strength", 1), ("text", "t"), ("flag", .literal(.bool(true))),
                ("colour", "red"),
            ]
            inputs.removeAll { $0.0 == input }
            inputs.append((input, PromptValue(json)))
            let prompt = Prompt(nodes: [
                "x": PromptNode(classType: "Literals", inputs: .init(uniqueKeysWithValues: inputs.map { ($0.0, $0.1) }))
            ])
            let outcome = await Harness().run(prompt)
            #expect(outcome.report.validated != nil || !outcome.report.nodes.isEmpty)
        }
    }
}
