import JSON
import NodeKit
import PackTools
import Testing

struct TextNodeTests {
    /// What Python's own text methods give.
    @Test func textOperation() async throws {
        for entry in try #require(try Fixture.json("texts.json")["operations"]?.arrayValue) {
            let texts = (0..<3).map { entry[$0]?.stringValue ?? "" }
            let found = try await result(
                "CR Text Operation", ["operation": texts[0], "text": texts[1]], as: String.self)
            #expect(found.unicodeScalars.elementsEqual(texts[2].unicodeScalars), "\(texts[0]) of \(texts[1]): \(found)")
        }
    }

    /// What Python's csv module gives.
    @Test func multilineTextFromCSV() async throws {
        for entry in try #require(try Fixture.json("texts.json")["csv"]?.arrayValue) {
            let (text, expected) = (entry[0]?.stringValue ?? "", entry[1]?.stringValue ?? "")
            let found = try await result(
                "CR Multiline Text", ["text": text, "convert_from_csv": true], as: String.self)
            #expect(found == expected, "\(text)")
        }
    }

    @Test(
        arguments: [
            ("a\n # note\n#x\nb,,", [:], "a\nb"), ("a-b\n-c", ["remove_chars": true, "chars_to_remove": "-"], "ab\nc"),
            ("'x', 'y', 'z'", ["split_string": true], "x\ny\nz"), ("x, 'y',z", ["split_string": true], "x\ny\nz"),
        ] as [(String, [String: any NodeValue], String)])
    func multilineText(text: String, options: [String: any NodeValue], expected: String) async throws {
        #expect(
            try await result("CR Multiline Text", options.merging(["text": text]) { $1 }, as: String.self) == expected)
    }

    @Test func numbersAsText() async throws {
        let texts = try Fixture.json("texts.json")
        for entry in try #require(texts["floats"]?.arrayValue) {
            let number = try #require(entry[0]?.doubleValue)
            #expect(
                try await result("CR Float To String", ["float_": number], as: String.self) == entry[1]?.stringValue)
        }
        for entry in try #require(texts["rounded"]?.arrayValue) {
            let number = try #require(entry[0]?.doubleValue)
            #expect(PythonText.rounded(number, places: entry[1]?.intValue ?? 0) == entry[2]?.doubleValue, "\(entry)")
        }
        #expect(PythonText.rounded(1250, places: -2) == 1200)
        #expect(PythonText.fixed(-0.005, decimals: 2) == "-0.01")
        #expect(try await result("CR Integer To String", ["int_": -6], as: String.self) == "-6")
        #expect(try await result("FloatConstant", ["value": 0.12345678], as: Double.self) == 0.123457)
    }

    @Test(arguments: [
        ("1.45", "round", 1, 1.45), ("2.5", "round", 2, 2.5), ("-2", "round down", -3, -2), ("2", "round up", 3, 2),
        ("2.9", "round down", 2, 2.9), ("-2.9", "round up", -2, -2.9), (".5", "round", 0, 0.5), ("5.", "round", 5, 5),
    ]) func stringToNumber(text: String, rounding: String, whole: Int, number: Double) async throws {
        let results = try await call("CR String To Number", ["text": text, "round_integer": rounding])
        #expect(results[0].first as? Int == whole && results[1].first as? Double == number)
    }

    @Test(arguments: ["", "abc", "1e5", "1.2.3", "-", "--1", "+1", "99999999999999999999"])
    func noNumbers(text: String) async {
        #expect(await failure("CR String To Number", ["text": text]).contains(text.isEmpty ? "is no number" : text))
    }

    @Test func comfyrollTexts() async throws {
        #expect(try await result("CR String To Combo", ["text": "euler,heun"], as: String.self) == "euler")
        #expect(try await result("CR String To Boolean", ["text": "True"], as: Bool.self))
        #expect(await failure("CR String To Boolean", ["text": "yes"]).contains("neither"))
        let parts = try await call("CR Split String", ["text": " a ,b"])
        #expect(parts.prefix(4).map { $0.first as? String } == ["a", "b", "", ""])
        #expect(await failure("CR Split String", ["text": "a", "delimiter": ""]).contains("delimiter"))
        #expect(
            try await result("CR Text Concatenate", ["text1": "a", "text2": "b", "separator": ", "], as: String.self)
                == "a, b")
        #expect(
            try await result(
                "CR Text Replace", ["text": "aXa", "find1": "a", "replace1": "b", "find2": "X", "replace2": ""],
                as: String.self) == "bb")
        #expect(try await result("CR Text Length", ["text": "x\u{301}y"], as: Int.self) == 3)
        let bits = try await call("CR Binary To Bit List", ["bit_string": "0110"])
        #expect(bits[0].map { $0 as? String } == ["0", "1", "1", "0"])
        #expect(bits[1].first as? String != nil)
        #expect(try await result("CR Text", ["text": "t"], as: String.self) == "t")
        #expect(try await result("CR Prompt Text", ["prompt": "p"], as: String.self) == "p")
    }

    @Test func wasTexts() async throws {
        let joined: [String: any NodeValue] = [
            "delimiter": "\\n", "clean_whitespace": "true", "text_a": " a ", "text_b": "", "text_d": "d",
        ]
        #expect(try await result("Text Concatenate", joined, as: String.self) == "a\nd")
        let replaced = try await call(
            "Text Find and Replace", ["text": "a1b22", "find": "[0-9]+", "replace": "<\\g<0>>"])
        #expect(replaced[0].first as? String == "a<1>b<22>")
        #expect(replaced[1].first as? Int == 2 && replaced[2].first as? Double == 2 && replaced[3].first as? Int == 2)
        #expect(await failure("Text Find and Replace", ["text": "a", "find": "("]).contains("regular expression"))
        #expect(try await result("Text Multiline", ["text": "a\n # b\nc"], as: String.self) == "a\nc")
    }

    @Test func otherTexts() async throws {
        #expect(
            try await result("StringConstantMultiline", ["string": " a\nb \n"], as: String.self) == "ab")
        #expect(
            try await result("StringConstantMultiline", ["string": "a\nb", "strip_newlines": false], as: String.self)
                == "a\nb")
        let mixed = try await call(
            "TTP_text_mix", ["text1": "A", "text2": "{text3}", "text3": "C", "template": "{text1}-{text2}-{text1}"])
        #expect(mixed.map { $0.first as? String } == ["A", "{text3}", "C", "A-C-A"])
        #expect(try await result("easy textSwitch", ["input": 2, "text1": "a", "text2": "b"], as: String.self) == "b")
        #expect(try await result("easy prompt", ["prompt": "old"], as: String.self) == "old")
        #expect(try await result("easy prompt", ["text": "new", "subject": "x"], as: String.self) == "new")
    }

    @Test func widgetToString() async throws {
        let prompt: JSON = [
            "3": [
                "class_type": "KSampler", "inputs": ["steps": 12, "cfg": .double(7.456), "name": "euler"],
                "_meta": ["title": "Mine"],
            ],
            "7": ["class_type": "WidgetToString", "inputs": ["any_input": .array(["3", 0])]],
        ]
        let context = try Installation().context(prompt: prompt)
        func text(_ inputs: [String: any NodeValue]) async throws -> String {
            try await result("WidgetToString", inputs, context)
        }
        #expect(try await text(["id": 3, "widget_name": "cfg"]) == "7.46")
        #expect(try await text(["id": 3, "widget_name": "cfg", "allowed_float_decimals": 0]) == "7")
        #expect(try await text(["node_title": "Mine", "widget_name": "name"]) == "euler")
        #expect(try await text(["widget_name": "steps, name"]) == "steps: 12, name: euler")
        #expect(try await text(["id": 3, "return_all": true]) == "steps: 12, cfg: 7.46, name: euler")
        #expect(await failure("WidgetToString", ["id": 4, "widget_name": "x"], context).contains("id 4"))
        #expect(await failure("WidgetToString", ["id": 3, "widget_name": "x"], context).contains("steps, cfg, name"))
        let definition = try definition("WidgetToString")
        #expect(try definition.fingerprint(["id": [3], "widget_name": ["steps"]], context) == "12")
    }
}
