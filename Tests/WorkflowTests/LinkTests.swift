import JSON
import NodeKit
import OrderedCollections
import Testing

@testable import Workflow

/// Links, modes and virtual nodes (ui-format.md §2, §4–§7).
@Suite struct LinkTests {
    /// A loader 1 (MODEL, CLIP, VAE) and what tests put behind it.
    private func sketch(objects: Bool = false) -> Sketch {
        var sketch = Sketch()
        sketch.linksAreObjects = objects
        sketch.node(1, "CheckpointLoaderSimple", [], ["MODEL", "CLIP", "VAE"], values: "[\"m\"]")
        return sketch
    }

    @Test(arguments: [false, true])
    func arraysAndObjects(objects: Bool) throws {
        var sketch = sketch(objects: objects)
        sketch.node(2, "CLIPTextEncode", ["clip:CLIP=7"], values: "[\"a\"]")
        sketch.link(7, 1, 1, 2, 0, "CLIP")
        #expect(try sketch.prompt().inputs("2") == "text=\"a\" clip=1[1]")
    }

    /// Old files number slots otherwise than present definitions.
    @Test func namesCountNotNumbers() throws {
        var sketch = sketch()
        sketch.node(2, "KSampler", ["latent_image:LATENT=8", "model:MODEL=7"], values: "[1, \"fixed\"]")
        sketch.node(3, "EmptyLatentImage", [], ["LATENT"])
        sketch.link(7, 1, 0, 2, 5)
        sketch.link(8, 3, 0, 2, 99)
        let prompt = try sketch.prompt()
        #expect(prompt.value("2", "model") == "1[0]" && prompt.value("2", "latent_image") == "3[0]")
        // Widgets first, then links in the definition's order.
        #expect(prompt["2"]?.inputs.keys.suffix(2) == ["model", "latent_image"])
    }

    @Test func brokenLinksConnectNothing() throws {
        var sketch = sketch()
        sketch.node(2, "VAEDecode", ["samples:LATENT=50", "vae:VAE=7"])
        sketch.link(7, 77, 0, 2, 1)
        sketch.members["links"] = "[null, [1], [7, 77, 0, 2, 1, \"VAE\"], {\"id\": 9}, [8, 1, 2, 2, 1]]"
        #expect(try sketch.prompt().inputs("2") == "")
    }

    @Test func idsMayBeTexts() throws {
        let file = try WorkflowFile(
            Sketch.json(
                """
                {"nodes": [{"id": "a", "type": "EmptyImage", "widgets_values": [8, 8, 1, 0]},
                           {"id": "b", "type": "PreviewImage", "inputs": [{"name": "images", "type": "IMAGE", "link": "l"}]}],
                 "links": [["l", "a", 0, "b", 0]]}
                """))
        #expect(try file.conversion(schemas: { _ in nil }).prompt.inputs("b") == "images=a[0]")
    }

    @Test func mutedNodesTakeTheirLinksAlong() throws {
        var sketch = sketch()
        sketch.node(2, "PrimitiveInt", [], ["INT"], values: "[5, \"fixed\"]", mode: 2)
        sketch.node(3, "EmptyLatentImage", ["width:INT*=7"], ["LATENT"], values: "[64, 64, 1]")
        sketch.link(7, 2, 0, 3, 0, "INT")
        let conversion = try sketch.conversion()
        // The widget's value is gone too.
        #expect(conversion.prompt.inputs("3") == "height=64 batch_size=1")
        #expect(conversion.prompt["2"] == nil)
        #expect(conversion.notes.map(\.kind) == [.unconnected])
    }

    @Test(arguments: [0, 1, 3])
    func otherModesAreEmitted(mode: Int) throws {
        var sketch = Sketch()
        sketch.node(1, "EmptyLatentImage", mode: mode)
        #expect(try sketch.prompt()["1"] != nil)
    }

    @Test func bypassedNodesPassTheirOwnType() throws {
        var sketch = sketch()
        sketch.node(
            2, "LoraLoader", ["model:MODEL=1", "clip:CLIP=2"], ["MODEL", "CLIP"], values: "[\"l\", 1, 1]", mode: 4)
        sketch.node(3, "CLIPTextEncode", ["clip:CLIP=3"], values: "[\"\"]")
        sketch.node(4, "ModelSamplingSD3", ["model:MODEL=4"], values: "[3]")
        sketch.link(1, 1, 0, 2, 0, "MODEL")
        sketch.link(2, 1, 1, 2, 1, "CLIP")
        sketch.link(3, 2, 1, 3, 0, "CLIP")
        sketch.link(4, 2, 0, 4, 0, "MODEL")
        let prompt = try sketch.prompt()
        #expect(prompt.value("3", "clip") == "1[1]" && prompt.value("4", "model") == "1[0]" && prompt["2"] == nil)
    }

    /// Slot number first, then equal type, then a fitting one, else nothing.
    @Test func bypassOrder() throws {
        let schemas = [
            NodeSchema.test(
                "Mix", ["a:MASK", "b:IMAGE", "c:IMAGE,MASK", "d:*"], outputs: ["IMAGE", "LATENT", "IMAGE", "*"]),
            .test("Out", ["image:IMAGE", "latent:LATENT", "any:*", "vae:VAE"]),
        ]
        func origin(slot: Int, into input: String) throws -> String {
            var sketch = Sketch()
            for id in 1...4 { sketch.node(id, "EmptyImage", [], ["IMAGE"]) }
            sketch.node(
                5, "Mix", ["a:MASK=1", "b:IMAGE=2", "c:IMAGE,MASK=3", "d:*=4"], ["IMAGE", "LATENT", "IMAGE", "*"],
                mode: 4)
            for id in 1...4 { sketch.link(id, id, 0, 5, id - 1) }
            sketch.node(6, "Out", ["\(input)=9"])
            sketch.link(9, 5, slot, 6, 0)
            return try sketch.prompt(schemas).value("6", String(input.prefix { $0 != ":" }))
        }
        #expect(try origin(slot: 0, into: "image:IMAGE") == "2[0]")  // a does not fit; b is the first IMAGE
        #expect(try origin(slot: 2, into: "image:IMAGE") == "3[0]")  // c fits by number
        #expect(try origin(slot: 1, into: "latent:LATENT") == "4[0]")  // only * fits
        #expect(try origin(slot: 2, into: "any:*") == "3[0]")  // wildcard: by number
        #expect(try origin(slot: 9, into: "any:*") == "1[0]")  // wildcard without that number: the first
        #expect(try origin(slot: 0, into: "vae:VAE") == "4[0]")  // * fits both
        var sketch = Sketch()
        sketch.node(1, "EmptyImage", [], ["IMAGE"])
        sketch.node(5, "Mix", ["b:IMAGE=1"], ["IMAGE"], mode: 4)
        sketch.node(6, "Out", ["latent:LATENT=9"])
        sketch.link(1, 1, 0, 5, 1)
        sketch.link(9, 5, 0, 6, 0)
        #expect(try sketch.prompt([schemas[1], .test("Mix", ["b:IMAGE"], outputs: ["IMAGE"])]).inputs("6") == "")
    }

    @Test func bypassedChainsAndGaps() throws {
        var sketch = sketch()
        sketch.node(2, "LoraLoaderModelOnly", ["model:MODEL=1"], ["MODEL"], values: "[\"l\", 1]", mode: 4)
        sketch.node(3, "Reroute", [":*=2"], ["*"])
        sketch.node(4, "LoraLoaderModelOnly", ["model:MODEL=3"], ["MODEL"], values: "[\"l\", 1]", mode: 4)
        sketch.node(5, "ModelSamplingSD3", ["model:MODEL=4"], values: "[3]")
        sketch.link(1, 1, 0, 2, 0)
        sketch.link(2, 2, 0, 3, 0)
        sketch.link(3, 3, 0, 4, 0)
        sketch.link(4, 4, 0, 5, 0)
        #expect(try sketch.prompt().value("5", "model") == "1[0]")
        var gap = Sketch()
        gap.node(2, "LoraLoaderModelOnly", ["model:MODEL"], ["MODEL"], mode: 4)
        gap.node(5, "ModelSamplingSD3", ["model:MODEL=4"], values: "[3]")
        gap.link(4, 2, 0, 5, 0)
        #expect(try gap.prompt().inputs("5") == "shift=3")
    }

    /// Sockets come first, then widgets; an unlinked widget input of the type gives nothing.
    @Test func bypassCountsWidgets() throws {
        let schemas = [
            NodeSchema.test("Math", ["a:INT", "b:INT"], outputs: ["INT"]),
            .test("Use", ["x:INT"]),
        ]
        var sketch = Sketch()
        sketch.node(1, "Math", [], ["INT"], values: "[1, 2]")
        sketch.node(2, "Math", ["a:INT*=1", "b:INT*"], ["INT"], values: "[1, 2]", mode: 4)
        sketch.node(3, "Math", ["b:INT*=1"], ["INT"], values: "[1, 2]", mode: 4)
        sketch.node(4, "Use", ["x:INT*=2"], values: "[9]")
        sketch.node(5, "Use", ["x:INT*=3"], values: "[9]")
        sketch.link(1, 1, 0, 2, 0)
        sketch.link(2, 2, 0, 4, 0)
        sketch.link(3, 3, 0, 5, 0)
        let prompt = try sketch.prompt(schemas)
        #expect(prompt.value("4", "x") == "1[0]")
        #expect(prompt.value("5", "x") == "9")
    }

    @Test(arguments: ["Reroute", "Reroute (rgthree)"])
    func reroutes(type: String) throws {
        var sketch = sketch()
        sketch.node(2, type, [":*=1"], ["*"])
        sketch.node(3, type, [":*=2"], ["*"])
        sketch.node(4, "CLIPTextEncode", ["clip:CLIP=3"], values: "[\"\"]")
        sketch.link(1, 1, 1, 2, 0)
        sketch.link(2, 2, 0, 3, 0)
        sketch.link(3, 3, 0, 4, 0)
        let prompt = try sketch.prompt()
        #expect(prompt.value("4", "clip") == "1[1]" && prompt.ids == ["1", "4"])
        sketch.members["unused"] = "1"
        var muted = self.sketch()
        muted.node(2, type, [":*=1"], ["*"], mode: 2)
        muted.node(4, "CLIPTextEncode", ["clip:CLIP=3"], values: "[\"\"]")
        muted.link(1, 1, 1, 2, 0)
        muted.link(3, 2, 0, 4, 0)
        #expect(try muted.prompt().inputs("4") == "text=\"\"")
    }

    @Test(.timeLimit(.minutes(10))) func circlesEnd() throws {
        var sketch = Sketch()
        sketch.node(1, "Reroute", [":*=2"], ["*"])
        sketch.node(2, "Reroute", [":*=1"], ["*"])
        sketch.node(3, "Reroute", [":*=4"], ["*"], mode: 4)
        sketch.node(4, "VAEDecode", ["vae:VAE=3", "samples:LATENT=5"])
        sketch.link(1, 1, 0, 2, 0)
        sketch.link(2, 2, 0, 1, 0)
        sketch.link(3, 2, 0, 4, 0)
        sketch.link(4, 3, 0, 3, 0)
        sketch.link(5, 3, 0, 4, 1)
        #expect(try sketch.prompt().inputs("4") == "")
    }

    @Test func notesAndTheLikeVanish() throws {
        var sketch = Sketch()
        for (id, type) in [
            "Note", "MarkdownNote", "Label (rgthree)", "Bookmark (rgthree)", "Fast Groups Muter (rgthree)",
            "Fast Groups Bypasser (rgthree)", "Fast Muter (rgthree)", "Fast Bypasser (rgthree)",
            "Mute / Bypass Repeater (rgthree)", "Mute / Bypass Relay (rgthree)", "Node Collector (rgthree)",
            "Node Combiner (rgthree)", "Fast Actions Button (rgthree)", "Random Unmuter (rgthree)", "PrimitiveNode",
            "SetNode", "GetNode",
            "Anything Everywhere",
        ].enumerated() {
            sketch.node(id, type, [":*=1"], ["*"], values: "[\"x\"]")
        }
        #expect(try sketch.prompt().nodes.isEmpty)
    }

    /// What goes through a collector is dropped, not passed on.
    @Test func collectorsPassNothing() throws {
        var sketch = sketch()
        sketch.node(2, "Node Collector (rgthree)", [":*=1"], ["*"])
        sketch.node(3, "CLIPTextEncode", ["clip:CLIP=2"], values: "[\"\"]")
        sketch.link(1, 1, 1, 2, 0)
        sketch.link(2, 2, 0, 3, 0)
        #expect(try sketch.prompt().inputs("3") == "text=\"\"")
    }

    @Test func primitivesBecomeConstants() throws {
        for mode in [0, 2, 4] {
            var sketch = Sketch()
            sketch.node(1, "PrimitiveNode", [], ["INT"], values: "[640, \"fixed\"]", mode: mode)
            sketch.node(2, "EmptyLatentImage", ["width:INT*=1"], values: "[64, 128, 1]")
            sketch.node(3, "Reroute", [":*=2"], ["*"])
            sketch.node(4, "EmptyLatentImage", ["width:INT*=3"], values: "[64, 128, 1]")
            sketch.node(5, "VAEDecode", ["vae:VAE=4"])
            sketch.link(1, 1, 0, 2, 0)
            sketch.link(2, 1, 0, 3, 0)
            sketch.link(3, 3, 0, 4, 0)
            sketch.link(4, 1, 0, 5, 0)
            let prompt = try sketch.prompt()
            #expect(prompt.inputs("2") == "width=640 height=128 batch_size=1")
            #expect(prompt.value("4", "width") == "64")  // not through a reroute
            #expect(prompt.inputs("5") == "")  // no widget there
            #expect(prompt.ids == ["2", "4", "5"])
        }
    }

    @Test func primitiveTextsAreReplacedWhereAsked() throws {
        for (flag, expected) in [("true", "\"seed 5\""), ("false", "\"seed %K.seed%\"")] {
            var sketch = Sketch()
            sketch.node(
                1, "PrimitiveNode", [], ["STRING"], values: "[\"seed %K.seed%\"]",
                members: ["properties": "{\"Run widget replace on values\": \(flag)}"])
            sketch.node(2, "CLIPTextEncode", ["text:STRING*=1"], values: "[\"\"]")
            sketch.node(3, "KSampler", values: "[5, \"fixed\"]", members: ["title": "\"K\""])
            sketch.link(1, 1, 0, 2, 0)
            #expect(try sketch.prompt().value("2", "text") == expected)
        }
    }

    @Test(arguments: [("SetNode", "GetNode"), ("easy setNode", "easy getNode")])
    func settersAndGetters(set: String, get: String) throws {
        var sketch = sketch()
        sketch.node(2, set, ["CLIP:CLIP=1"], ["*"], values: "[\"clip\"]")
        sketch.node(3, get, [], ["CLIP"], values: "[\"clip\"]")
        sketch.node(4, "CLIPTextEncode", ["clip:CLIP=2"], values: "[\"\"]")
        sketch.node(5, "CLIPTextEncode", ["clip:CLIP=3"], values: "[\"\"]")
        sketch.node(6, get, [], ["CLIP"], values: "[\"other\"]")
        sketch.node(7, "CLIPTextEncode", ["clip:CLIP=4"], values: "[\"\"]")
        sketch.node(8, set, ["VAE:VAE=5"], ["*"], values: "[\"clip\"]")
        sketch.link(1, 1, 1, 2, 0)
        sketch.link(2, 3, 0, 4, 0)
        sketch.link(3, 2, 0, 5, 0)
        sketch.link(4, 6, 0, 7, 0)
        sketch.link(5, 1, 2, 8, 0)
        let prompt = try sketch.prompt()
        #expect(prompt.value("4", "clip") == "1[1]")
        #expect(prompt.value("5", "clip") == "1[1]")  // through the setter's own output
        #expect(prompt.value("7", "clip") == "nothing")
    }

    @Test func settersCountWhateverTheirMode() throws {
        for mode in [2, 4] {
            var sketch = sketch()
            sketch.node(2, "SetNode", ["CLIP:CLIP=1"], ["*"], values: "[\"clip\"]", mode: mode)
            sketch.node(3, "GetNode", [], ["CLIP"], values: "[\"clip\"]")
            sketch.node(4, "CLIPTextEncode", ["clip:CLIP=2"], values: "[\"\"]")
            sketch.link(1, 1, 1, 2, 0)
            sketch.link(2, 3, 0, 4, 0)
            #expect(try sketch.prompt().value("4", "clip") == "1[1]")
        }
    }

    @Test func slotTypes() {
        #expect(SlotType.areCompatible("IMAGE", "image") && SlotType.areCompatible("*", "X"))
        #expect(SlotType.areCompatible("IMAGE,MASK", "MASK") && SlotType.areCompatible("", "X"))
        #expect(!SlotType.areCompatible("IMAGE", "MASK") && !SlotType.areCompatible("A,B", "C,D"))
    }
}
