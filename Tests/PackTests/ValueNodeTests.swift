import Diffusion
import JSON
import NodeKit
import RgthreeNodes
import Tensors
import Testing

struct ValueNodeTests {
    /// Nodes that hand a constant on.
    @Test(
        arguments: [
            ("INTConstant", "value", 5), ("Int-🔬", "value", 5), ("easy int", "value", 5), ("VixUiRangeInt", "value", 5),
            ("Float-🔬", "value", 2.5), ("easy float", "value", 2.5), ("VixUiRangeFloat", "value", 2.5),
            ("String-🔬", "value", "x"), ("StringConstant", "string", "x"), ("VixUiPrompt", "text", "x"),
            ("ttN text", "text", "x"), ("String Literal", "string", "x"), ("easy positive", "positive", "x"),
            ("Bool-🔬", "value", true), ("Sampler Selector", "sampler_name", "heun"),
            ("Scheduler Selector", "scheduler", "beta"),
            ("Sampler Selector (Image Saver)", "sampler_name", "res_multistep"),
            ("Scheduler Selector (Image Saver)", "scheduler", "beta"), ("Seed Everywhere", "seed", UInt64.max),
            ("ReroutePrimitive|pysssss", "value", 4),
        ] as [(String, String, any NodeValue)])
    func constants(id: String, port: String, value: any NodeValue) async throws {
        let results = try await call(id, [port: value])
        let found = try #require(results[0].first as? any LiteralValue)
        #expect(found.literal == (value as? any LiteralValue)?.literal)
    }

    @Test func severalForms() async throws {
        let int = try await call("ttN int", ["int": 20])
        #expect(int[0].first as? Int == 20 && int[1].first as? Double == 20 && int[2].first as? String == "20")
        let seed = try await call("Seed", ["seed": UInt64(9)])
        #expect(seed[1].first as? UInt64 == 9 && seed[2].first as? Double == 9)
        let number = try await call("Constant Number", ["number_type": "integer", "number": -2.7])
        #expect(number[0].first as? Int == -2 && number[1].first as? Double == -2)
        #expect(try await result("mxSlider", ["Xi": 1, "Xf": 0.2, "isfloatX": 1], as: Double.self) == 0.2)
        #expect(try await result("mxSlider", ["Xi": 1, "Xf": 0.2, "isfloatX": 0], as: Int.self) == 1)
        let value = try await call("CR Value", ["value": -2.5])
        #expect(value[0].first as? Double == -2.5 && value[1].first as? Int == -2)
        let binary = try await call("CR Set Value On Binary", ["binary": 0, "value_if_1": 1.0, "value_if_0": -7.5])
        #expect(binary[0].first as? Int == -7 && binary[1].first as? Double == -7.5)
        #expect(try await result("CR Index Increment", ["index": 4, "interval": -6], as: Int.self) == -2)
        #expect(await failure("CR Index Increment", ["index": Int.max]).contains("64 bits"))
        #expect(try await result("CR Float To Integer", ["_float": -1.9], as: Int.self) == -1)
        #expect(try await result("ImpactNeg", ["value": true], as: Bool.self) == false)
        let box = try await call("VixUiCheckbox", ["state": true])
        #expect(box[0].first as? Bool == true && box[1].first as? Int == 1)
    }

    @Test(arguments: [
        ("12.5", 12.5, 12, true), ("-3", -3, -3, true), ("0", 0, 0, false), ("false", 0, 0, false), ("cat", 1, 1, true),
        ("1e5", 1, 1, true), (".5", 0.5, 0, true),
    ]) func impactConvertDataType(text: String, number: Double, whole: Int, isTrue: Bool) async throws {
        let results = try await call("ImpactConvertDataType", ["value": text])
        #expect(results[0].first as? String == text && results[1].first as? Double == number)
        #expect(results[2].first as? Int == whole && results[3].first as? Bool == isTrue)
    }

    @Test func namedSizes() async throws {
        let ratio = try await call(
            "CR Aspect Ratio",
            [
                "aspect_ratio": "SDXL - 3:4 portrait 896x1152", "swap_dimensions": "On", "prescale_factor": 0.5,
                "batch_size": 2,
            ])
        #expect(ratio[0].first as? Int == 576 && ratio[1].first as? Int == 448)
        #expect((ratio[5].first as? Latent)?.samples.shape == [2, 4, 56, 72])
        let large = try await call("CR SDXL Aspect Ratio", ["width": 640, "height": 320, "aspect_ratio": "custom"])
        #expect((large[4].first as? Latent)?.samples.shape == [1, 4, 40, 80])
        #expect(await failure("CR Aspect Ratio", ["aspect_ratio": "x"]).contains("1024x1024"))
        let empty = try await call("SDXL Empty Latent Image (rgthree)", ["dimensions": " 896 x 1152  (portrait)"])
        #expect((empty[0].first as? Latent)?.samples.shape == [1, 4, 144, 112] && empty[1].first as? Int == 1792)
        let vix = try await call("VixUiAspectRatioSelector", ["aspect_ratio": "3:4 (896x1152)"])
        #expect(vix.map { ($0.first as? any LiteralValue)?.literal } == [.string("3:4"), .int(896), .int(1152)])
        let jps = try await call("SDXL Resolutions (JPS)", ["resolution": "portrait - 896x1152 (3:4)"])
        #expect(jps[0].first as? Int == 896 && jps[1].first as? Int == 1152)
        let list = try await result(
            "VixUiList", ["default_value": "fast", "possible_values": #"{"fast": "fp8_e4m3fn_fast"}"#], as: String.self)
        #expect(list == "fp8_e4m3fn_fast")
        #expect(
            try await result(
                "VixUiList", ["default_value": "fast", "possible_values": #"["fast", "slow"]"#], as: String.self)
                == "fast")
    }

    @Test func displays() async throws {
        let installation = try Installation()
        let context = installation.context()
        _ = try await call("Display Int (rgthree)", ["input": 3], context)
        _ = try await call("Display Any (rgthree)", ["source": try Image(.zeros([1, 2, 3, 3]))], context)
        _ = try await call("ConsoleDebug+", ["prefix": "Width:", "value": 1.5], context)
        let texts = installation.shown.compactMap { $0["text"]?[0]?.stringValue }
        #expect(texts == ["3", "IMAGE [1, 2, 3, 3]", "Width: 1.5"])
        for (id, port) in [
            ("MaskPreview+", "mask"), ("PreviewMask_", "mask"), ("ImageAndMaskPreview", "mask"),
        ] {
            _ = try await call(id, [port: try Mask(.zeros([1, 4, 4]))], context)
            #expect(installation.shown.last?["images"]?[0]?["type"] == .string("temp"), "\(id)")
        }
    }

    @Test func passingOn() async throws {
        let lists = try await definition("PlaySound|pysssss").run(
            ["any": [1, 2], "mode": ["always"], "volume": [0.5], "file": ["notify.mp3"]], Installation().context())
        #expect(lists[0].map { $0 as? Int } == [1, 2])
        let copies = try await call("Repeater|pysssss", ["source": "x", "repeats": 3])
        #expect(copies[0].map { $0 as? String } == ["x", "x", "x"])
        #expect(try await result("easy cleanGpuUsed", ["anything": 5], as: Int.self) == 5)
        for id in ["Anything Everywhere", "Anything Everywhere?", "Prompts Everywhere", "VixUiWorkflowMetadata"] {
            #expect(try await call(id).isEmpty)
        }
        let config = try await call("KSampler Config (rgthree)", ["steps_total": 9, "cfg": 3.5])
        #expect(
            config.map { ($0.first as? any LiteralValue)?.literal } == [
                .int(9), .int(24), .double(3.5), .string("euler"), .string("simple"),
            ])
        #expect(try await result("Power Primitive (rgthree)", ["type": "INT", "value": "12.7"], as: Int.self) == 12)
        #expect(
            try await result("Power Primitive (rgthree)", ["type": "BOOLEAN", "value": "false"], as: Bool.self) == false
        )
        #expect(await failure("Power Primitive (rgthree)", ["type": "FLOAT", "value": "x"]).contains("no number"))
    }
}
