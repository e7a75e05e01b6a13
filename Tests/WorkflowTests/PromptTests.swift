import JSON
import OrderedCollections
import Testing

@testable import Workflow

@Suite struct PromptTests {
    private let text = """
        {"4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
         "3": {"inputs": {"model": ["4", 0], "seed": 18446744073709551615, "list": {"__value__": ["a", 1]}, "cfg": 7.0},
               "class_type": "KSampler", "_meta": {"title": "Sampler é"}, "is_changed": [NaN]}}
        """

    @Test func readsNodesInputsAndTitlesInOrder() throws {
        let prompt = try Prompt(JSON(parsing: text))
        #expect(prompt.ids == ["4", "3"])
        #expect(prompt["3"]?.title == "Sampler é")
        #expect(prompt["4"]?.title == nil)
        #expect(
            prompt["3"]?.inputs == [
                "model": .link(PromptLink(node: "4", slot: 0)), "seed": .literal(.uint(.max)),
                "list": .literal(.array([.string("a"), .int(1)])), "cfg": .literal(.double(7)),
            ])
    }

    @Test func writesAsTheReferenceDoes() throws {
        let prompt = try Prompt(JSON(parsing: text))
        #expect(
            prompt.metadataText == """
                {"4": {"inputs": {"ckpt_name": "a.safetensors"}, "class_type": "CheckpointLoaderSimple"}, \
                "3": {"inputs": {"model": ["4", 0], "seed": 18446744073709551615, "list": {"__value__": ["a", 1]}, \
                "cfg": 7.0}, "class_type": "KSampler", "_meta": {"title": "Sampler \\u00e9"}}}
                """)
        #expect(try Prompt(JSON(parsing: prompt.metadataText)) == prompt)
    }

    @Test func arraysThatAreNoLinksAreKept() throws {
        let prompt = try Prompt(
            JSON(
                parsing: """
                    {"1": {"class_type": "A", "inputs": {"a": [4, 0], "b": ["4"], "c": ["4", 0, 1], "d": ["4", 0.5],
                     "e": ["4", 2.0], "f": [], "g": ["4", -1], "h": {"__value__": 5}}}}
                    """))
        let inputs = try #require(prompt["1"]?.inputs)
        for name in ["a", "b", "c", "d", "f"] {
            guard case .malformedLink? = inputs[name] else {
                Issue.record("\(name) is \(String(describing: inputs[name]))")
                continue
            }
        }
        #expect(inputs["e"]?.link == PromptLink(node: "4", slot: 2))
        #expect(inputs["g"]?.link == PromptLink(node: "4", slot: -1))
        #expect(inputs["h"]?.literal == .int(5))
        #expect(try Prompt(prompt.json) == prompt)
    }

    @Test(arguments: [
        ("[]", "an array"), ("{\"1\": 5}", "node \"1\""), ("{\"1\": {}}", "class_type"),
        ("{\"1\": {\"class_type\": 5}}", "node \"1\".class_type"),
        ("{\"1\": {\"class_type\": \"A\", \"inputs\": []}}", "node \"1\".inputs"),
    ])
    func faultsNameThePlace(text: String, part: String) {
        do {
            _ = try Prompt(JSON(parsing: text))
            Issue.record("no error for \(text)")
        } catch let error as WorkflowError {
            #expect(error.code == .malformed)
            #expect("\(error)".contains(part), "\(error)")
            #expect("\(error)".contains("expected") || "\(error)".contains("needs"), "\(error)")
        } catch {
            Issue.record(error)
        }
    }

    @Test func inputsMayBeAbsent() throws {
        #expect(try Prompt(JSON(parsing: "{\"1\": {\"class_type\": \"A\"}}"))["1"]?.inputs.isEmpty == true)
    }
}
