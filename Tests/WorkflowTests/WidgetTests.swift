import JSON
import NodeKit
import OrderedCollections
import Testing

@testable import Workflow

/// `widgets_values` (ui-format.md §3).
@Suite struct WidgetTests {
    /// One node alone.
    private func inputs(
        _ type: String, _ values: String?, _ slots: [String] = [], schemas: [NodeSchema] = [],
        members: [String: String] = [:]
    ) throws -> String {
        var sketch = Sketch()
        sketch.node(1, type, slots, values: values, members: members)
        return try sketch.prompt(schemas).inputs("1")
    }

    @Test(arguments: [
        (
            "KSampler", "[5, \"randomize\", 20, 8, \"euler\", \"normal\", 1]",
            "seed=5 steps=20 cfg=8 sampler_name=\"euler\" scheduler=\"normal\" denoise=1"
        ),
        ("RandomNoise", "[18446744073709551615, \"fixed\"]", "noise_seed=18446744073709551615"),
        (
            "KSamplerAdvanced",
            "[\"enable\", 7, \"increment\", 25, 8, \"euler\", \"normal\", 0, 10000, \"disable\"]",
            "add_noise=\"enable\" noise_seed=7 steps=25 cfg=8 sampler_name=\"euler\" scheduler=\"normal\" "
                + "start_at_step=0 end_at_step=10000 return_with_leftover_noise=\"disable\""
        ),
        ("BasicScheduler", "[\"simple\", 20.0, 1]", "scheduler=\"simple\" steps=20.0 denoise=1"),
        (
            "ModelSamplingFlux", "[1.15, 0.5, 1024, 768]",
            "max_shift=1.15 base_shift=0.5 width=1024 height=768"
        ),
        ("CLIPTextEncodeFlux", "[\"a\", \"b\", 3.5]", "clip_l=\"a\" t5xxl=\"b\" guidance=3.5"),
        (
            "ControlNetInpaintingAliMamaApply", "[0.9, 0, 0.8]",
            "strength=0.9 start_percent=0 end_percent=0.8"
        ),
        // An input that came later takes its default.
        (
            "DualCLIPLoader", "[\"a\", \"b\", \"flux\"]",
            "clip_name1=\"a\" clip_name2=\"b\" type=\"flux\" device=\"default\""
        ),
        // Upload buttons.
        ("LoadImage", "[\"p.png\", \"image\"]", "image=\"p.png\""),
        ("LoadImageMask", "[\"p.png\", \"red\", \"image\"]", "image=\"p.png\" channel=\"red\""),
        // Nulls and absent values.
        ("EmptyLatentImage", "[null, 64]", "width=512 height=64 batch_size=1"),
        ("EmptyLatentImage", nil, "width=512 height=512 batch_size=1"),
        ("EmptyLatentImage", "null", "width=512 height=512 batch_size=1"),
        // Surplus.
        ("VAELoader", "[\"ae.safetensors\", 5, \"x\"]", "vae_name=\"ae.safetensors\""),
        // By name.
        (
            "EmptyLatentImage", "{\"height\": 64, \"videopreview\": {}, \"width\": 32}",
            "width=32 height=64 batch_size=1"
        ),
    ])
    func referenceNodes(type: String, values: String?, expected: String) throws {
        #expect(try inputs(type, values) == expected)
    }

    @Test func valueWithoutDefaultIsLeftOutWithANote() throws {
        var sketch = Sketch()
        sketch.node(1, "VAELoader")
        let conversion = try sketch.conversion()
        #expect(conversion.prompt.inputs("1") == "")
        #expect(conversion.notes.map(\.kind) == [.missingValue])
    }

    /// Very old files have true and false for the control; some packs leave null.
    @Test(arguments: ["true", "false", "null", "\"decrement\"", "\"increment-wrap\""])
    func controlValues(control: String) throws {
        let expected = "seed=5 steps=20 cfg=8 sampler_name=\"euler\" scheduler=\"normal\" denoise=1"
        #expect(try inputs("KSampler", "[5, \(control), 20, 8, \"euler\", \"normal\", 1]") == expected)
    }

    @Test func controlMayBeAbsent() throws {
        let expected = "seed=5 steps=20 cfg=8 sampler_name=\"euler\" scheduler=\"normal\" denoise=1"
        #expect(try inputs("KSampler", "[5, 20, 8, \"euler\", \"normal\", 1]") == expected)
    }

    @Test func comboControlsAreTwoValues() throws {
        let schema = NodeSchema.test(
            "N", ["name:a/b", "x:INT"], options: ["name": ["control_after_generate": .bool(true)]])
        #expect(try inputs("N", "[\"b\", \"randomize\", \"fil\", 3]", schemas: [schema]) == "name=\"b\" x=3")
        #expect(try inputs("N", "[\"b\", 3]", schemas: [schema]) == "name=\"b\" x=3")
    }

    @Test func controlBySchema() throws {
        let schema = NodeSchema.test(
            "N", ["value:INT", "x:INT"], options: ["value": ["control_after_generate": .bool(true)]])
        #expect(try inputs("N", "[4, \"fixed\", 3]", schemas: [schema]) == "value=4 x=3")
    }

    @Test func forcedInputsAreSockets() throws {
        let schema = NodeSchema.test("N", ["a:STRING", "b:STRING!", "seed:INT!", "c:FLOAT"])
        // Before front end 1.16 forced inputs had values too.
        #expect(try inputs("N", "[\"x\", \"old\", 7, \"fixed\", 2.5]", schemas: [schema]) == "a=\"x\" c=2.5")
        #expect(try inputs("N", "[\"x\", 2.5]", schemas: [schema]) == "a=\"x\" c=2.5")
        // Neither length: as they are.
        #expect(try inputs("N", "[\"x\", 2.5, \"surplus\"]", schemas: [schema]) == "a=\"x\" c=2.5")
    }

    @Test func convertedWidgetsKeepTheirPlace() throws {
        var sketch = Sketch()
        sketch.node(1, "EmptyLatentImage", ["height:INT*=9"], values: "[64, 128, 2]")
        sketch.node(2, "PrimitiveInt", [], ["INT"], values: "[256, \"fixed\"]")
        sketch.link(9, 2, 0, 1, 0)
        #expect(try sketch.prompt().inputs("1") == "width=64 height=2[0] batch_size=2")
        #expect(try sketch.prompt().inputs("2") == "value=256")
    }

    @Test func namedValuesComeFirst() throws {
        let members = ["widgets_values_named": "{\"width\": 1, \"unknown\": 9}"]
        #expect(try inputs("EmptyLatentImage", "[64, 128, 2]", members: members) == "width=1 height=128 batch_size=2")
    }

    @Test func customWidgetTypes() throws {
        let schema = NodeSchema.test(
            "N", ["a:WEBCAM", "b:IMAGE", "c:INT", "d:FLOAT,INT"], options: ["d": ["widgetType": .string("FLOAT")]])
        #expect(try inputs("N", "[\"x\", 2, 1.5]", schemas: [schema]) == "a=\"x\" c=2 d=1.5")
    }

    @Test func unknownTypesAreReadByTheirMarkers() throws {
        var sketch = Sketch()
        sketch.node(
            1, "Strange", ["image:IMAGE", "seed:INT*", "mode:COMBO*", "on:BOOLEAN*"],
            values: "[7, \"fixed\", \"a\", true, null]")
        let conversion = try sketch.conversion()
        #expect(conversion.prompt.inputs("1") == "seed=7 mode=\"a\" on=true")
        #expect(conversion.notes.map(\.kind) == [.guessed])
        #expect(conversion.notes[0].description.contains("node 1 (Strange)"))
    }

    @Test func unknownTypesLearnFromTheirLikes() throws {
        var sketch = Sketch()
        sketch.node(1, "Strange", ["a:INT*", "b:STRING*"], values: "[7, \"x\"]")
        sketch.node(2, "Strange", [], values: "[8, \"y\"]")
        #expect(try sketch.prompt().inputs("2") == "a=8 b=\"y\"")
    }

    /// A guess that does not come out even is not made.
    @Test(arguments: ["[\"comma\", \"\"]", "[1, \"x\"]", "[\"a\", \"b\", \"c\"]"])
    func unknownTypesWithUnnamedValues(values: String) throws {
        var sketch = Sketch()
        sketch.node(1, "Strange", ["text:STRING*"], values: values)
        let conversion = try sketch.conversion()
        #expect(conversion.prompt.inputs("1") == "")
        #expect(conversion.notes.map(\.kind) == [.unnamedValues])
    }

    @Test func unknownTypesThatSaveByName() throws {
        let values = "{\"path\": \"a\", \"size\": 5, \"videopreview\": {\"x\": 1}, \"upload\": \"image\"}"
        #expect(try inputs("Strange", values) == "path=\"a\" size=5")
    }

    @Test func arraysAreWrapped() throws {
        let schema = NodeSchema.test("N", ["a:STRING"])
        var sketch = Sketch()
        sketch.node(1, "N", values: "[[\"x\", 1]]")
        let prompt = try sketch.prompt([schema])
        #expect(prompt.json["1"]?["inputs"]?["a"]?["__value__"] == .array([.string("x"), .int(1)]))
    }

    @Test func samplerNames() throws {
        #expect(try inputs("KSampler", "[5, \"fixed\", 20, 8, \"sample_euler\", \"normal\", 1]").contains("=\"euler\""))
        #expect(try inputs("KSamplerSelect", "[\"sample_euler\"]") == "sampler_name=\"sample_euler\"")
    }

    @Test func titlesAreKept() throws {
        var sketch = Sketch()
        sketch.node(1, "VAEDecode", members: ["title": "\"Decode it\""])
        sketch.node(2, "VAEDecode")
        let prompt = try sketch.prompt()
        #expect(prompt["1"]?.title == "Decode it" && prompt["2"]?.title == nil)
    }

    @Test func referenceTable() throws {
        #expect(ReferenceNodes.types.count == 382)
        for type in ReferenceNodes.types { #expect(ReferenceNodes.schema(type)?.id == type) }
        let merge = try #require(ReferenceNodes.schema("ModelMergeFlux1"))
        #expect(merge.inputs.count == 2 + 4 + 1 + 19 + 38 + 1)
        #expect(merge.input(named: "double_blocks.18.")?.options["default"] == .double(1))
        let sampler = try #require(ReferenceNodes.schema("KSampler"))
        #expect(sampler.outputs.map(\.type) == ["LATENT"])
        #expect(sampler.input(named: "sampler_name")?.options["default"] == .string("euler"))
        #expect(ReferenceNodes.schema("CLIPLoader")?.input(named: "device")?.isOptional == true)
        #expect(ReferenceNodes.schema("SaveImage")?.isOutput == true)
        #expect(ReferenceNodes.schema("SaveLoRANode")?.input(named: "steps")?.isWidget == false)
        #expect(ReferenceNodes.schema("Nothing") == nil)
    }

    @Test func packNames() {
        #expect(PackNames.pack(of: "GrowMaskWithBlur") == "kijai/ComfyUI-KJNodes")
        #expect(PackNames.pack(of: "Context Big (rgthree)") == "rgthree/rgthree-comfy")
        #expect(PackNames.pack(of: "CR Load LoRA") == "Suzie1/ComfyUI_Comfyroll_CustomNodes")
        #expect(PackNames.pack(of: "KSampler") == nil)
        #expect(
            PackNames.phrase(for: "ShowText|pysssss")
                == "\"ShowText|pysssss\" from the pack pythongosssss/ComfyUI-Custom-Scripts")
    }
}
