import JSON
import NodeKit
import OrderedCollections
import Testing

@testable import Workflow

/// Sub-graphs (ui-format.md §8).
@Suite struct SubgraphTests {
    /// A server converts files for ever.
    @Test func aConversionLeavesNothingBehind() throws {
        var sketch = Sketch()
        sketch.node(5, Self.id, ["clip:CLIP"], ["CONDITIONING"], values: "[\"outer\"]")
        sketch.members["definitions"] = "{\"subgraphs\": [\(Self.encoder)]}"
        weak var inner: Scope?
        do {
            let converter = Converter(
                try GraphFile(sketch.json), schemas: { _ in nil }, options: ConversionOptions())
            _ = try converter.convert()
            #expect(converter.scopes.count == 2)
            inner = converter.scopes.last
            #expect(inner?.parent === converter.scopes.first)
        }
        #expect(inner == nil)
    }

    static let id = "01234567-89ab-cdef-0123-456789abcdef"
    static let outerID = "11111111-89ab-cdef-0123-456789abcdef"

    /// clip and text (promoted) in; a text encoder inside; its conditioning and the clip itself out.
    static let encoder = """
        {"id": "\(id)", "name": "Encode",
         "inputs": [{"name": "clip", "type": "CLIP", "linkIds": [1, 4]}, {"name": "words", "type": "STRING", "linkIds": [2]},
                    {"name": "seed", "type": "INT", "linkIds": [5]}],
         "outputs": [{"name": "c", "type": "CONDITIONING", "linkIds": [3]}, {"name": "clip", "type": "CLIP", "linkIds": [4]},
                     {"name": "none", "type": "LATENT", "linkIds": []}],
         "nodes": [{"id": 7, "type": "CLIPTextEncode", "mode": 0, "widgets_values": ["inner"],
                    "inputs": [{"name": "clip", "type": "CLIP", "link": 1},
                               {"name": "text", "type": "STRING", "widget": {"name": "text"}, "link": 2}]},
                   {"id": 8, "type": "RandomNoise", "widgets_values": [1, "fixed"],
                    "inputs": [{"name": "noise_seed", "type": "INT", "widget": {"name": "noise_seed"}, "link": 5}]}],
         "links": [{"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 7, "target_slot": 0, "type": "CLIP"},
                   {"id": 2, "origin_id": -10, "origin_slot": 1, "target_id": 7, "target_slot": 1, "type": "STRING"},
                   {"id": 3, "origin_id": 7, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "CONDITIONING"},
                   {"id": 4, "origin_id": -10, "origin_slot": 0, "target_id": -20, "target_slot": 1, "type": "CLIP"},
                   {"id": 5, "origin_id": -10, "origin_slot": 2, "target_id": 8, "target_slot": 0, "type": "INT"}]}
        """

    private func sketch(_ definitions: String...) -> Sketch {
        var sketch = Sketch()
        sketch.node(1, "CheckpointLoaderSimple", [], ["MODEL", "CLIP", "VAE"], values: "[\"m\"]")
        sketch.members["definitions"] = "{\"subgraphs\": [\(definitions.joined(separator: ","))]}"
        return sketch
    }

    @Test func insideAndOutside() throws {
        var sketch = sketch(Self.encoder)
        sketch.node(5, Self.id, ["clip:CLIP=1"], ["CONDITIONING", "CLIP", "LATENT"], values: "[\"outer\", 99]")
        sketch.node(6, "ConditioningZeroOut", ["conditioning:CONDITIONING=2"])
        sketch.node(9, "CLIPTextEncode", ["clip:CLIP=3"], values: "[\"x\"]")
        sketch.node(10, "VAEDecode", ["samples:LATENT=4"])
        sketch.link(1, 1, 1, 5, 0, "CLIP")
        sketch.link(2, 5, 0, 6, 0)
        sketch.link(3, 5, 1, 9, 0)
        sketch.link(4, 5, 2, 10, 0)
        let prompt = try sketch.prompt()
        #expect(prompt.ids == ["1", "5:7", "5:8", "6", "9", "10"])
        #expect(prompt.inputs("5:7") == "text=\"outer\" clip=1[1]")
        #expect(prompt.inputs("5:8") == "noise_seed=99")
        #expect(prompt.inputs("6") == "conditioning=5:7[0]")
        #expect(prompt.value("9", "clip") == "1[1]")  // straight through
        #expect(prompt.inputs("10") == "")
    }

    @Test(arguments: [
        ("[\"outer\", 99]", "\"outer\"", "99"), ("[\"outer\", 99, \"randomize\"]", "\"outer\"", "99"),
        ("[\"outer\"]", "\"outer\"", "1"), ("[]", "\"inner\"", "1"), ("null", "\"inner\"", "1"),
        ("[null, 5]", "\"inner\"", "5"), ("{\"seed\": 4}", "\"inner\"", "4"),
    ])
    func promotedValues(values: String, text: String, seed: String) throws {
        var sketch = sketch(Self.encoder)
        sketch.node(5, Self.id, [], values: values)
        let prompt = try sketch.prompt()
        #expect(prompt.value("5:7", "text") == text && prompt.value("5:8", "noise_seed") == seed)
    }

    /// A seed in the middle has its control value behind it, if there are more values than widgets.
    @Test func promotedSeedWithControl() throws {
        let swapped = Self.encoder.replacing(
            "{\"name\": \"words\", \"type\": \"STRING\", \"linkIds\": [2]}",
            with: "{\"name\": \"a\", \"type\": \"INT\", \"linkIds\": [5]}"
        )
        .replacing(
            "{\"name\": \"seed\", \"type\": \"INT\", \"linkIds\": [5]}",
            with: "{\"name\": \"b\", \"type\": \"STRING\", \"linkIds\": [2]}"
        )
        .replacing(
            "\"id\": 2, \"origin_id\": -10, \"origin_slot\": 1",
            with: "\"id\": 2, \"origin_id\": -10, \"origin_slot\": 2"
        )
        .replacing(
            "\"id\": 5, \"origin_id\": -10, \"origin_slot\": 2",
            with: "\"id\": 5, \"origin_id\": -10, \"origin_slot\": 1")
        for values in ["[99, \"fixed\", \"outer\"]", "[99, \"outer\"]"] {
            var sketch = sketch(swapped)
            sketch.node(5, Self.id, [], values: values)
            let prompt = try sketch.prompt()
            #expect(prompt.value("5:7", "text") == "\"outer\"" && prompt.value("5:8", "noise_seed") == "99")
        }
    }

    @Test func linksAndPrimitivesIntoPromotedInputs() throws {
        var sketch = sketch(Self.encoder)
        // The instance lists its slots in another order than the definition.
        sketch.node(5, Self.id, ["seed:INT*=3", "words:STRING*=2", "clip:CLIP=1"], values: "[\"outer\", 99]")
        sketch.node(2, "StringConcatenate", [], ["STRING"], values: "[\"a\", \"b\", \"\"]")
        sketch.node(3, "PrimitiveNode", [], ["INT"], values: "[123, \"fixed\"]")
        sketch.link(1, 1, 1, 5, 0)
        sketch.link(2, 2, 0, 5, 1)
        sketch.link(3, 3, 0, 5, 2)
        let prompt = try sketch.prompt()
        #expect(prompt.inputs("5:7") == "text=2[0] clip=1[1]")
        #expect(prompt.inputs("5:8") == "noise_seed=123")
    }

    /// The encoder inside another sub-graph, which promotes its text again.
    private static let outer = """
        {"id": "\(outerID)", "name": "Outer",
         "inputs": [{"name": "words", "type": "STRING", "linkIds": [1]}, {"name": "clip", "type": "CLIP", "linkIds": [3]}],
         "outputs": [{"name": "c", "type": "CONDITIONING", "linkIds": [2]}],
         "nodes": [{"id": 3, "type": "\(id)", "widgets_values": ["middle", 5],
                    "inputs": [{"name": "clip", "type": "CLIP", "link": 3},
                               {"name": "words", "type": "STRING", "widget": {"name": "words"}, "link": 1}]}],
         "links": [{"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 3, "target_slot": 1, "type": "STRING"},
                   {"id": 2, "origin_id": 3, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "CONDITIONING"},
                   {"id": 3, "origin_id": -10, "origin_slot": 1, "target_id": 3, "target_slot": 0, "type": "CLIP"}]}
        """

    @Test(arguments: [("[\"top\"]", "\"top\""), ("[]", "\"middle\"")])
    func nested(values: String, text: String) throws {
        var sketch = sketch(Self.encoder, Self.outer)
        sketch.node(12, Self.outerID, ["clip:CLIP=1"], ["CONDITIONING"], values: values)
        sketch.node(13, Self.outerID, [], ["CONDITIONING"], values: "[\"second\"]")
        sketch.node(6, "ConditioningZeroOut", ["conditioning:CONDITIONING=2"])
        sketch.link(1, 1, 1, 12, 0)
        sketch.link(2, 12, 0, 6, 0)
        let prompt = try sketch.prompt()
        #expect(prompt.ids == ["1", "12:3:7", "12:3:8", "13:3:7", "13:3:8", "6"])
        #expect(prompt.inputs("12:3:7") == "text=\(text) clip=1[1]")
        #expect(prompt.inputs("13:3:7") == "text=\"second\"")
        #expect(prompt.inputs("6") == "conditioning=12:3:7[0]")
        #expect(prompt.value("12:3:8", "noise_seed") == "5")
    }

    @Test func mutedAndBypassedInstances() throws {
        for (mode, expected) in [(2, "nothing"), (4, "1[1]")] {
            var sketch = sketch(Self.encoder)
            sketch.node(
                5, Self.id, ["clip:CLIP=1"], ["CONDITIONING", "CLIP", "LATENT"], values: "[\"o\", 9]", mode: mode)
            sketch.node(9, "CLIPTextEncode", ["clip:CLIP=3"], values: "[\"x\"]")
            sketch.link(1, 1, 1, 5, 0, "CLIP")
            sketch.link(3, 5, 1, 9, 0)
            let prompt = try sketch.prompt()
            #expect(prompt.ids == ["1", "9"])
            #expect(prompt.value("9", "clip") == expected)
        }
    }

    /// Getters look in their own graph, then outward; never into other sub-graphs.
    @Test func gettersLookOutward() throws {
        let reader = """
            {"id": "\(Self.id)", "name": "Reader", "inputs": [], "outputs": [],
             "nodes": [{"id": 1, "type": "GetNode", "widgets_values": ["v"], "outputs": [{"name": "VAE", "type": "VAE"}]},
                       {"id": 2, "type": "VAEDecode", "inputs": [{"name": "vae", "type": "VAE", "link": 1}]}],
             "links": [{"id": 1, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 0, "type": "VAE"}]}
            """
        let sibling = """
            {"id": "\(Self.outerID)", "name": "Sibling", "inputs": [], "outputs": [],
             "nodes": [{"id": 1, "type": "VAELoader", "widgets_values": ["s"]},
                       {"id": 2, "type": "SetNode", "widgets_values": ["v"], "inputs": [{"name": "VAE", "type": "VAE", "link": 1}]}],
             "links": [{"id": 1, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 0, "type": "VAE"}]}
            """
        var sketch = sketch(sibling, reader)
        sketch.node(4, Self.outerID)
        sketch.node(5, Self.id)
        #expect(try sketch.prompt().inputs("5:2") == "")
        sketch.node(6, "SetNode", ["VAE:VAE=1"], values: "[\"v\"]")
        sketch.link(1, 1, 2, 6, 0)
        #expect(try sketch.prompt().inputs("5:2") == "vae=1[2]")
    }

    @Test func selfContainingDefinitionsAreErrors() {
        let selfish = Self.outer.replacing("\"type\": \"\(Self.id)\"", with: "\"type\": \"\(Self.outerID)\"")
        var sketch = sketch(selfish)
        sketch.node(5, Self.outerID)
        #expect(throws: WorkflowError.self) { try sketch.prompt() }
        do { _ = try sketch.prompt() } catch { #expect("\(error)".contains("\"Outer\" contains itself")) }
    }

    /// Twenty levels of two each would be a million nodes.
    @Test func exponentialNestingIsAnError() {
        func name(_ level: Int) -> String { "level \(level)" }
        let levels = (0..<24).map { level in
            """
            {"id": "\(name(level))", "nodes": [{"id": 1, "type": "\(name(level + 1))"}, {"id": 2, "type": "\(name(level + 1))"}], "links": []}
            """
        }
        var sketch = Sketch()
        sketch.members["definitions"] = "{\"subgraphs\": [\(levels.joined(separator: ","))]}"
        sketch.node(1, name(0))
        do {
            _ = try sketch.prompt()
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains("expand to more than"))
        }
    }

    @Test func missingDefinitionsAreNoted() throws {
        var sketch = Sketch()
        sketch.node(1, Self.id)
        sketch.node(2, "workflow>Lost")
        let conversion = try sketch.conversion()
        #expect(conversion.prompt.nodes.values.map(\.classType) == [Self.id, "workflow>Lost"])
        #expect(conversion.notes.map(\.kind) == [.definition, .definition])
    }
}
