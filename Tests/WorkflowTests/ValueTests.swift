import Images
import JSON
import NodeKit
import OrderedCollections
import Testing

@testable import Workflow

/// What happens to values when a prompt is made (ui-format.md §3, §11).
@Suite struct ValueTests {
    private func expand(_ text: String, seed: UInt64 = 0) -> String {
        var prompt = DynamicPrompt(random: SplitMix(seed: seed, stream: "test"))
        return prompt.expand(text)
    }

    @Test(arguments: [
        ("plain (a:1.2)", "plain (a:1.2)"), ("a // b\nc", "a \nc"), ("a /* b\nc */ d", "a  d"),
        ("http://x.y/z, cat", "http:"), ("{only}", "only"), ("{a{b}c}", "abc"), ("\\{a\\|b\\}", "{a|b}"),
        ("a\\b", "a\\b"),
        ("a\\\\{b\\}", "a\\{b}"), ("x | y", "x | y"), ("a } b", "a } b"), ("a { b", "a { b"), ("a {b|c", "a {b|c"),
        ("{}", ""), ("/* open", "/* open"), ("end\\", "end\\"), ("a /* b */ c /* d", "a  c /* d"),
        ("1 // 2\r\n3", "1 \r\n3"),
    ])
    func dynamicPrompts(text: String, expected: String) { #expect(expand(text) == expected) }

    @Test func choices() {
        var seen: Set<String> = []
        for seed in 0..<64 { seen.insert(expand("{a|b|{c|d}}{x|}", seed: UInt64(seed))) }
        #expect(seen == ["ax", "bx", "cx", "dx", "a", "b", "c", "d"])
        #expect(expand("{a|b|c|d|e|f}", seed: 3) == expand("{a|b|c|d|e|f}", seed: 3))
    }

    @Test func deepBracesEnd() {
        let text = String(repeating: "{", count: 200_000)
        #expect(expand(text) == text)
        #expect(expand(String(repeating: "{", count: 500) + "a" + String(repeating: "}", count: 500)) == "a")
    }

    @Test func onlyMarkedTextsAreRewritten() throws {
        var sketch = Sketch()
        sketch.node(1, "CLIPTextEncode", values: "[\"a {b|c} // d\"]")
        sketch.node(2, "StringConcatenate", values: "[\"a {b|c}\", \"// x\", \"\"]")
        let conversion = try sketch.conversion(options: ConversionOptions(promptSeed: 7))
        #expect(["\"a b \"", "\"a c \""].contains(conversion.prompt.value("1", "text")))
        #expect(conversion.prompt.value("2", "string_a") == "\"a {b|c}\"")
        #expect(conversion.notes.map(\.kind) == [.dynamicPrompt])
        #expect(conversion.notes[0].message.contains("prompt seed 7"))
        let seeds = try Set(
            (0..<20).map {
                try sketch.conversion(options: ConversionOptions(promptSeed: $0)).prompt.value("1", "text")
            })
        #expect(seeds.count == 2)
    }

    @Test func fileNames() throws {
        var sketch = Sketch()
        let pattern =
            "%date:yyyy-MM-dd%/%date:yy_M_d hh:mm:ss h%_%KSampler.seed%_%Decoder.x%_%width%_%My title.text%%nope.x%_100%"
        sketch.node(1, "SaveImage", values: "[\"\(pattern)\"]")
        sketch.node(
            2, "KSampler", values: "[12345678901234567890, \"fixed\", 20.0, 8, \"euler\", \"normal\", 1]",
            members: ["properties": "{\"Node name for S&R\": \"KSampler\"}"])
        sketch.node(3, "CLIPTextEncode", values: "[\"a/b:c\"]", members: ["title": "\"My title\""])
        sketch.node(4, "VAEDecode", members: ["title": "\"Decoder\""])
        let date = LocalTime(year: 2026, month: 3, day: 9, hour: 4, minute: 5, second: 6)
        let conversion = try sketch.conversion(options: ConversionOptions(date: date))
        #expect(
            conversion.prompt.value("1", "filename_prefix")
                == "\"2026-03-09/26_3_9 04:05:06 4_12345678901234567890_%Decoder.x%_%width%_a_b_c%nope.x%_100%\"")
    }

    @Test func fileNameNumbersAreSpelledAsInJavaScript() throws {
        var sketch = Sketch()
        sketch.node(1, "SaveImage", values: "[\"%K.steps%_%K.cfg%_%K.denoise%_%K.sampler_name%%%\"]")
        sketch.node(
            2, "KSampler", values: "[1, \"fixed\", 20.0, 7.5, \"euler\"]", members: ["title": "\"K\""])
        #expect(try sketch.prompt().value("1", "filename_prefix") == "\"20_7.5_1_euler%%\"")
    }

    @Test func drawnSeeds() throws {
        for (value, isDrawn) in [("-1", true), ("-2", true), ("-3", true), ("-4", false), ("0", false), ("99", false)] {
            var sketch = Sketch()
            sketch.node(1, "Seed (rgthree)", [], ["INT"], values: "[\(value), null, \"\", null]")
            let conversion = try sketch.conversion()
            let seed = try #require(conversion.prompt["1"]?.inputs["seed"]?.literal?.intValue)
            #expect(isDrawn == (conversion.notes.map(\.kind) == [.seed]))
            #expect(isDrawn ? (0..<1 << 50).contains(seed) : "\(seed)" == value)
            let other = try sketch.conversion(options: ConversionOptions(promptSeed: 1))
            #expect((other.prompt != conversion.prompt) == isDrawn)
        }
    }

    @Test func powerLoraLoader() throws {
        let rows = """
            [null, {"type": "header"}, {"on": true, "lora": "a", "strength": 0.5, "strengthTwo": 1},
             {"on": false, "lora": "b", "strength": 1, "strengthTwo": null}, {}, ""]
            """
        var sketch = Sketch()
        sketch.node(1, "Power Lora Loader (rgthree)", ["model:MODEL=1"], values: rows)
        sketch.node(
            2, "Power Lora Loader (rgthree)", values: rows,
            members: ["properties": "{\"Show Strengths\": \"Separate Model & Clip\"}"])
        sketch.node(3, "UNETLoader", [], ["MODEL"], values: "[\"m\", \"default\"]")
        sketch.link(1, 3, 0, 1, 0, "MODEL")
        let prompt = try sketch.prompt()
        #expect(
            prompt.inputs("1") == "lora_1={\"on\":true,\"lora\":\"a\",\"strength\":0.5} "
                + "lora_2={\"on\":false,\"lora\":\"b\",\"strength\":1} model=3[0]")
        #expect(prompt.value("2", "lora_1") == "{\"on\":true,\"lora\":\"a\",\"strength\":0.5,\"strengthTwo\":1}")
    }

    @Test func imageComparerHasNoValues() throws {
        var sketch = Sketch()
        sketch.node(
            1, "Image Comparer (rgthree)", ["image_a:IMAGE=1", "image_b:IMAGE"], values: "[[{\"url\": \"x\"}]]")
        sketch.node(2, "EmptyImage", [], ["IMAGE"], values: "[8, 8, 1, 0]")
        sketch.link(1, 2, 0, 1, 0)
        let conversion = try sketch.conversion()
        #expect(conversion.prompt.inputs("1") == "image_a=2[0]" && conversion.notes.isEmpty)
    }

    @Test func switchesKeepSlotOrder() throws {
        var sketch = Sketch()
        sketch.node(1, "Any Switch (rgthree)", ["any_01:*=1", "any_02:*", "any_03:*=2"], values: "[]")
        sketch.node(2, "EmptyImage", [], ["IMAGE"], values: "[8, 8, 1, 0]")
        sketch.link(1, 2, 0, 1, 0)
        sketch.link(2, 2, 0, 1, 2)
        #expect(try sketch.prompt().inputs("1") == "any_01=2[0] any_03=2[0]")
    }
}
