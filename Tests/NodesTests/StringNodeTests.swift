import JSON
import NodeKit
import Tensors
import Testing

/// Results are CPython's (`Files/make_strings.py`), the nodes being thin covers of its string methods.
struct StringNodeTests {
    @Test func resultsEqualPython() async throws {
        let context = try TestInstallation().context()
        let rows = try #require(try Fixture.json("strings.json").arrayValue)
        #expect(rows.count > 80)
        for row in rows {
            let node = try #require(row["node"]?.stringValue)
            let inputs = try #require(row["inputs"]?.objectValue)
            var values: [String: any NodeValue] = [:]
            for (name, value) in inputs { values[name] = JSONNodeValue(value) }
            let results = try await call(node, values, context)
            let literal = (results[0].first as? any LiteralValue)?.literal
            #expect(literal == row["result"], "\(node) \(JSON.object(inputs).text())")
        }
    }

    @Test func invalidPatterns() async throws {
        let installation = try TestInstallation()
        let context = installation.context()
        let flags: [String: any NodeValue] = ["case_insensitive": true, "multiline": false, "dotall": false]
        let inputs = flags.merging(["string": "a(b", "regex_pattern": "("]) { $1 }
        #expect(try await call("RegexMatch", inputs, context, as: Bool.self) == false)
        let extracted: String = try await call(
            "RegexExtract", inputs.merging(["mode": "First Match", "group_index": 1]) { $1 }, context)
        #expect(extracted.isEmpty && installation.warnings.count == 1)
        let message = await failure {
            _ = try await call("RegexReplace", inputs.merging(["replace": "x", "count": 0]) { $1 }, context)
        }
        #expect(message.contains("/(/"))
    }

    /// Patterns that a backtracking matcher never ends with: an error soon, so that the queue goes on.
    @Test(arguments: ["(a+)+$", "(a|a)*$", "(?:a|aa)+$"])
    func endlessPatterns(pattern: String) async throws {
        let context = try TestInstallation().context()
        let flags: [String: any NodeValue] = ["case_insensitive": true, "multiline": false, "dotall": false]
        let text = String(repeating: "a", count: 50) + "b"
        let message = await failure {
            _ = try await call(
                "RegexMatch", flags.merging(["string": text, "regex_pattern": pattern]) { $1 }, context, as: Bool.self)
        }
        #expect(message.contains("steps") && message.contains(pattern), "\(message)")
    }

    @Test(
        arguments: [
            ("abc", "abc"), (1.5, "1.5"), (2, "2"), (true, "True"), (Sigmas([1, 0.5]), "1.0, 0.5"),
        ] as [(any NodeValue, String)]) func anythingIsShown(value: any NodeValue, text: String) async throws
    {
        let installation = try TestInstallation()
        _ = try await call("PreviewAny", ["source": value], installation.context())
        #expect(installation.shown == [["text": .array([.string(text)])]])
    }

    @Test func tensorsAreShownByTheirShapes() async throws {
        let installation = try TestInstallation()
        let image = Image(try Tensor.zeros([1, 2, 3, 3]))
        _ = try await call("PreviewAny", ["source": image], installation.context())
        let text = installation.shown.first?["text"]?[0]?.stringValue
        #expect(text == "IMAGE\n [1, 2, 3, 3]")
    }
}
