import JSON
import NodeKit
import Tensors
import TestSupport
import Testing

private struct QuietFiles: NodeFiles {
    func model(_ folder: String, _ name: String) throws -> String { name }
    func modelNames(_ folder: String) -> [String] { ["one", "two"] }
    func modelFolders(_ folder: String) -> [String] { [] }
    func input(_ name: String) throws -> String { name }
    func inputNames() -> [String] { ["a.png"] }
    var outputFolder: String { "/" }
    var temporaryFolder: String { "/" }
    func fingerprint(path: String) throws -> String { path }
}

private struct QuietEvents: NodeEvents {
    func checkCancellation() throws {}
    func progress(node: String, done: Double, total: Double) {}
    func warning(node: String, _ message: String) {}
    func ui(node: String, _ output: JSONObject) {}
}

private let context = NodeContext(
    nodeID: "1", backend: ReferenceBackend(), files: QuietFiles(), events: QuietEvents())

private struct Everything: Node {
    static let info = NodeInfo(
        "Everything", displayName: "All of it", category: "test/all", description: "D", isOutput: true, version: 3,
        usesNodeID: true, hidden: [.prompt, .extraPNGInfo, .uniqueID])
    @Input var image: Image
    @Input(.range(1...5), .step(2)) var howMany = 2
    @Input(.named("T5 text"), .multiline, .dynamicPrompts) var text: String
    @Input var mask: Mask?
    @Input(.optional, .range(0.0...1.0), .round(0.01)) var strength = 0.5
    @Input(.choices(["a", "b"])) var mode: String
    @Input(.files("loras", extra: ["None"])) var lora: String
    @Input(.inputImages, .imageUpload) var picture: String
    @Input(.type("IMAGE,MASK")) var either: AnyNodeValue
    @Input var many: [Int]
    @Input(.forceInput) var forced: Double
    @Output var first: Image
    @Output("names") var second: [String]
    @Output(type: "COMBO") var third: String
    func run(_ context: NodeContext) async throws {
        first = image
        second = many.map { "\(text) \($0)" }
        third = "\(howMany) \(strength) \($mask.isGiven) \(either.base)"
    }
}

private struct Forgetful: Node {
    static let info = NodeInfo("Forgetful", category: "test")
    @Output var value: Int
    func run(_ context: NodeContext) async throws {}
}

private struct Fingerprinted: Node {
    static let info = NodeInfo("Fingerprinted", category: "test")
    @Input var name: String
    @Input var other: Int?
    @Input var number = 4
    @Output var value: Int
    func run(_ context: NodeContext) async throws { value = 1 }
    func fingerprint(_ context: NodeContext) throws -> String? { "\(name) \(number)" }
}

@Suite struct SchemaTests {
    private let schema = NodeDefinition(Everything.self, module: "custom_nodes.x").schema

    @Test func whatTheNodeSaysOfItself() {
        #expect(schema.id == "Everything" && schema.displayName == "All of it" && schema.category == "test/all")
        #expect(schema.isOutput && schema.usesNodeID && schema.version == 3 && schema.module == "custom_nodes.x")
        #expect(schema.takesLists)
    }

    @Test func inputsAreNamedInSnakeCaseRequiredOnesFirst() {
        #expect(
            schema.inputs.map(\.name) == [
                "image", "how_many", "T5 text", "mode", "lora", "picture", "either", "many", "forced", "mask",
                "strength",
            ])
        #expect(schema.inputs.filter(\.isOptional).map(\.name) == ["mask", "strength"])
    }

    @Test func portsKnowWhetherConstantsFit() {
        let without = schema.inputs.filter { !$0.takesLiterals }.map(\.name)
        #expect(without == ["image", "mask"])
        #expect(
            schema.inputs.filter(\.isWidget).map(\.name) == [
                "how_many", "T5 text", "mode", "lora", "picture", "many", "strength",
            ])
    }

    @Test func objectInfo() {
        let info = schema.objectInfo { choices in
            switch choices {
            case .fixed(let names): names
            case .files(_, let extra): extra + ["x.safetensors"]
            case .inputImages: ["a.png"]
            }
        }
        let required = info["input"]?["required"]
        #expect(required?["image"] == .array([.string("IMAGE")]))
        #expect(
            required?["how_many"]
                == .array([
                    .string("INT"), .object(["default": .int(2), "min": .int(1), "max": .int(5), "step": .int(2)]),
                ]))
        #expect(required?["how_many"]?[1]?.objectValue?.keys.first == "default")
        #expect(required?["mode"] == .array([.array([.string("a"), .string("b")])]))
        #expect(required?["lora"]?[0] == .array([.string("None"), .string("x.safetensors")]))
        #expect(required?["picture"] == .array([.array([.string("a.png")]), .object(["image_upload": .bool(true)])]))
        #expect(required?["either"]?[0] == .string("IMAGE,MASK"))
        #expect(info["input"]?["optional"]?["strength"]?[1]?["default"] == .double(0.5))
        #expect(info["input"]?["hidden"]?["unique_id"] == .string("UNIQUE_ID"))
        #expect(info["input_order"]?["optional"] == .array([.string("mask"), .string("strength")]))
        #expect(info["output"] == .array([.string("IMAGE"), .string("STRING"), .string("COMBO")]))
        #expect(info["output_name"] == .array([.string("IMAGE"), .string("names"), .string("COMBO")]))
        #expect(info["output_is_list"] == .array([.bool(false), .bool(true), .bool(false)]))
        #expect(info["output_node"] == .bool(true))
        #expect(info["python_module"] == .string("custom_nodes.x"))
    }

    @Test func aNodeWithoutInputsStillHasTheRequiredGroup() {
        let info = NodeDefinition(Forgetful.self).schema.objectInfo { _ in [] }
        #expect(info["input"] == .object(["required": .object([:])]))
    }
}

@Suite struct NodeRunTests {
    private let definition = NodeDefinition(Everything.self)

    private func inputs() throws -> [String: [any NodeValue]] {
        [
            "image": [Image(try .zeros([1, 2, 2, 3]))], "how_many": [3], "T5 text": ["t"], "mode": ["a"],
            "lora": ["None"],
            "picture": ["a.png"], "either": [7], "many": [1, 2, 3], "forced": [1.5],
        ]
    }

    @Test func valuesReachThePropertiesAndOutputsComeBack() async throws {
        let outputs = try await definition.run(inputs(), context)
        #expect(outputs.count == 3)
        #expect(outputs[0].count == 1 && outputs[0][0] is Image)
        #expect(outputs[1] as? [String] == ["t 1", "t 2", "t 3"])
        #expect(outputs[2] as? [String] == ["3 0.5 false 7"])
    }

    @Test func aMissingRequiredInputIsAnErrorNotATrap() async throws {
        for name in ["image", "T5 text", "many", "mode"] {
            var given = try inputs()
            given[name] = nil
            await #expect(throws: NodeError.self, "\(name)") { try await definition.run(given, context) }
        }
        await #expect(throws: NodeError.self) { try await definition.run([:], context) }
    }

    @Test func anEmptyListForOneValueIsAnError() async throws {
        var given = try inputs()
        given["T5 text"] = []
        await #expect(throws: NodeError.self) { try await definition.run(given, context) }
    }

    @Test func aValueOfAnotherTypeIsAnErrorThatNamesBoth() async throws {
        var given = try inputs()
        given["image"] = ["a text"]
        do {
            _ = try await definition.run(given, context)
            Issue.record("should have failed")
        } catch {
            #expect("\(error)" == "input \"image\": expected IMAGE, found STRING (String)")
        }
    }

    @Test func literalsPassBetweenEachOther() async throws {
        var given = try inputs()
        given["how_many"] = [4.9]
        given["T5 text"] = [12]
        given["strength"] = [AnyNodeValue("0.25")]
        given["either"] = [AnyNodeValue(AnyNodeValue("boxed"))]
        given["many"] = [JSONNodeValue(.string("8"))]
        let outputs = try await definition.run(given, context)
        #expect(outputs[1] as? [String] == ["12 8"])
        #expect((outputs[2] as? [String])?.first?.hasPrefix("4 0.25 false") == true)
    }

    @Test func anOutputThatIsNotSetIsAnError() async {
        await #expect(throws: NodeError.self) { try await NodeDefinition(Forgetful.self).run([:], context) }
    }

    @Test func aDefinitionFromPartsIsHeldToItsSchema() async throws {
        let schema = NodeSchema(
            id: "D", displayName: "D", category: "", inputs: [], outputs: [OutputSchema(name: "a", type: "INT")])
        let good = NodeDefinition(schema: schema) { inputs, _ in [inputs["x"] ?? [1]] }
        #expect(try await good.run(["x": [5]], context)[0] as? [Int] == [5])
        await #expect(throws: NodeError.self) {
            try await NodeDefinition(schema: schema, body: { _, _ in [] }).run([:], context)
        }
    }
}

@Suite struct FingerprintTests {
    private let definition = NodeDefinition(Fingerprinted.self)

    @Test func constantsAreKnown() throws {
        #expect(try definition.fingerprint(["name": ["a"], "number": [5]], context) == "a 5")
        #expect(try definition.fingerprint(["name": ["a"]], context) == "a 4")
        #expect(try NodeDefinition(Forgetful.self).fingerprint([:], context) == nil)
    }

    @Test func aLinkedInputThatIsReadIsAnErrorNotATrap() throws {
        #expect(throws: NodeError.self) { try definition.fingerprint([:], linked: ["name"], context) }
        #expect(throws: NodeError.self) { try definition.fingerprint(["name": ["a"]], linked: ["number"], context) }
        #expect(try definition.fingerprint(["name": ["a"], "number": [5]], linked: ["other"], context) == "a 5")
    }
}

@Suite struct LiteralTests {
    @Test(arguments: [
        (JSON.int(5), 5), (.double(-1.9), -1), (.bool(true), 1), (.string(" 12 "), 12), (.uint(.max), -1),
        (.string("18446744073709551615"), -1),
    ])
    func integers(_ json: JSON, _ expected: Int) { #expect(Int(literal: json) == expected) }

    @Test(arguments: [
        JSON.string("x"), .string(""), .string("1.5"), .null, .double(.nan), .double(.infinity), .double(1e300),
        .array([]), .object([:]), .string("99999999999999999999999"),
    ])
    func noIntegers(_ json: JSON) { #expect(Int(literal: json) == nil) }

    @Test(arguments: [
        (JSON.uint(.max), UInt64.max), (.int(-1), .max), (.string("18446744073709551615"), .max), (.int(7), 7),
        (.double(1e19), 10_000_000_000_000_000_000), (.double(20), 20),
    ])
    func seeds(_ json: JSON, _ expected: UInt64) { #expect(UInt64(literal: json) == expected) }

    @Test func seedsKeepTheirBits() {
        #expect(UInt64.max.literal == .uint(.max))
        #expect(UInt64(5).literal == .int(5))
    }

    @Test func numbersTextsAndSwitches() {
        #expect(
            Double(literal: .int(5)) == 5 && Double(literal: .string("1e3")) == 1000 && Double(literal: .null) == nil)
        #expect(String(literal: .double(1.5)) == "1.5" && String(literal: .bool(true)) == "True")
        #expect(Bool(literal: .string("false")) == true && Bool(literal: .array([])) == false)
    }
}
