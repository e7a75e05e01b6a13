import Engine
import Foundation
import JSON
import NodeKit
import Planning
import Tensors
import Testing
import Workflow

/// Multiplies `size` × `size` matrices.
private struct Multiply: Node {
    static let info = NodeInfo("Multiply", displayName: "A \"product\"", category: "test")
    @Input var size: Int
    @Input(.optional) var after: Sigmas?
    @Output("sigmas") var sigmas: Sigmas
    func run(_ context: NodeContext) async throws {
        let matrix = try Tensor.zeros([size, size])
        let product = try context.backend.linear(matrix, LinearWeight(matrix: matrix))
        sigmas = Sigmas([try context.backend.host(product).floats()[0]])
    }
}

private struct Save: Node {
    static let info = NodeInfo("Save", category: "test", isOutput: true)
    @Input var value: AnyNodeValue
    func run(_ context: NodeContext) async throws {
        try "x".write(toFile: context.files.outputFolder + "/saved", atomically: false, encoding: .utf8)
    }
}

private struct Fail: Node {
    static let info = NodeInfo("Fail", category: "test")
    @Output("value") var value: Int
    func run(_ context: NodeContext) async throws { throw NodeError("no vocabulary") }
}

@Suite struct PlannerTests {
    private let registry = NodeRegistry([
        NodePack("test", module: "test", nodes: [Multiply.self, Save.self, Fail.self])
    ])
    private let folder = NSTemporaryDirectory() + "/graphrun-plan-\(UUID().uuidString)"

    private func plan(_ text: String, cached: Set<String> = []) async throws -> RunPlan {
        let files = try ModelFolders(models: folder, input: folder, output: folder + "/output")
        let prompt = try Prompt(JSON(parsing: text))
        let report = await GraphEngine.validate(prompt, registry: registry, files: files)
        let validated = try #require(report.validated)
        return await Planner(
            registry: registry, files: files, precision: .float32, speed: MachineSpeed(peak: 1), cached: cached
        ).plan(validated)
    }

    private static let chain = """
        {"save": {"class_type": "Save", "inputs": {"value": ["b", 0]}},
         "b": {"class_type": "Multiply", "inputs": {"size": 1000, "after": ["a", 0]}},
         "a": {"class_type": "Multiply", "inputs": {"size": 500}},
         "loose": {"class_type": "Multiply", "inputs": {"size": 500}}}
        """

    @Test func workIsCountedByNodeAndNothingIsSaved() async throws {
        let plan = try await plan(Self.chain)
        #expect(plan.failure == nil)
        #expect(plan.nodes.map(\.id) == ["a", "b", "save"])
        #expect(plan.nodes[0].work.products == 2 * 500 * 500 * 500)
        #expect(plan.nodes[1].work.products == 2 * 1000 * 1000 * 1000)
        #expect(plan.nodes[1].seconds >= 2 / 0.9)
        #expect(plan.nodes[1].memory >= 4_000_000 && plan.memory < 64 << 20)
        #expect(plan.nodes[2].isOutput && plan.nodes[2].sources == ["b"])
        #expect(!FileManager.default.fileExists(atPath: folder + "/output/saved"))
        #expect(plan.json["nodes"]?[1]?["operations"]?.doubleValue == 2e9)
    }

    @Test func cachedNodesCostNothing() async throws {
        let plan = try await plan(Self.chain, cached: ["b"])
        #expect(plan.nodes.map(\.isCached) == [false, true, false])
        #expect(plan.nodes.map(\.isSkipped) == [true, false, false])
        #expect(plan.operations == 0)
    }

    @Test func whatARunWouldFailWithIsTold() async throws {
        let plan = try await plan(
            "{\"1\": {\"class_type\": \"Fail\", \"inputs\": {}},"
                + "\"2\": {\"class_type\": \"Save\", \"inputs\": {\"value\": [\"1\", 0]}}}")
        #expect(plan.failure?.contains("no vocabulary") == true)
    }

    @Test func theDrawingNamesNodesLinksAndTimes() async throws {
        let dot = try await plan(Self.chain).dot
        #expect(dot.hasPrefix("digraph plan {") && dot.hasSuffix("}\n"))
        #expect(dot.contains("A \\\"product\\\"\\nMultiply"))
        #expect(dot.contains("n0 -> n1;") && dot.contains("n1 -> n2;"))
    }

    @Test(arguments: [
        (0.0421, "42 ms"), (1.25, "1.3 s"), (59.96, "60.0 s"), (125, "2 min 5 s"), (7300, "2 h 1 min"),
        (Double.infinity, "very long"),
    ])
    func times(_ seconds: Double, _ text: String) { #expect(RunPlan.text(seconds: seconds) == text) }
}
