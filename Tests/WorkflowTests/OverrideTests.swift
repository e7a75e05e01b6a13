import JSON
import NodeKit
import OrderedCollections
import Testing

@testable import Workflow

@Suite struct OverrideTests {
    private func prompt() throws -> Prompt {
        try Prompt(
            JSON(
                parsing: """
                    {"3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "model": ["4", 0]},
                           "_meta": {"title": "Main sampler"}},
                     "4": {"class_type": "Loader", "inputs": {"blocks.0.": 1.0, "name": "a"}},
                     "6": {"class_type": "Text", "inputs": {"text": "x"}, "_meta": {"title": "Prompt"}},
                     "7": {"class_type": "Text", "inputs": {"text": "y"}, "_meta": {"title": "Prompt"}},
                     "9": {"class_type": "RandomNoise", "inputs": {"noise_seed": 5}},
                     "10": {"class_type": "KSampler", "inputs": {"seed": ["9", 0]}},
                     "5.1": {"class_type": "Dotted", "inputs": {"a": 1}, "_meta": {"title": "v1.5 model"}}}
                    """))
    }

    private func schemas(_ type: String) -> NodeSchema? {
        type == "Text" ? .test("Text", ["text:STRING", "note:STRING"]) : nil
    }

    @Test(arguments: [
        ("3.steps=8", "3", "steps", "8"), ("Main sampler.steps=8", "3", "steps", "8"),
        ("main SAMPLER.steps=8", "3", "steps", "8"), ("4.blocks.0.=0.5", "4", "blocks.0.", "0.5"),
        ("Loader.name=b=c", "4", "name", "\"b=c\""), ("5.1.a=true", "5.1", "a", "true"),
        ("v1.5 model.a=null", "5.1", "a", "null"), ("6.text=123", "6", "text", "\"123\""),
        ("6.text=\"12\"", "6", "text", "\"12\""), ("6.note=", "6", "note", "\"\""),
        ("3.model=[\"9\", 0]", "3", "model", "9[0]"),
        ("3.seed=18446744073709551615", "3", "seed", "18446744073709551615"),
        ("9.noise_seed={\"a\": [1]}", "9", "noise_seed", "{\"a\":[1]}"),
    ])
    func sets(assignment: String, node: String, input: String, value: String) throws {
        var prompt = try prompt()
        let done = try prompt.set(assignment, schemas: schemas)
        #expect(done.node == node && done.input == input)
        #expect(prompt.value(node, input) == value)
    }

    @Test(arguments: [
        ("steps", "NODE.INPUT=VALUE"), ("steps=8", "names no input"), ("3.stesp=8", "did you mean \"steps\""),
        ("99.steps=1", "there is no node \"99\""), ("Main samplr.steps=1", "did you mean \"Main sampler\""),
        ("Prompt.text=a", "use one of the ids: 6, 7"), ("Text.text=a", "use one of the ids: 6, 7"),
        ("4.nonsense=1", "its inputs are blocks.0., name"), (".a=1", "there is no node"), ("=1", "names no input"),
    ])
    func refuses(assignment: String, part: String) throws {
        var prompt = try prompt()
        let before = prompt
        do {
            _ = try prompt.set(assignment, schemas: schemas)
            Issue.record("no error for \(assignment)")
        } catch {
            #expect(error.code == .override)
            #expect("\(error)".contains(part), "\(error)")
        }
        #expect(prompt == before)
    }

    @Test func seeds() throws {
        var prompt = try prompt()
        let changed = prompt.setSeeds(.max)
        #expect(changed.map(\.node) == ["3", "9"])
        #expect(prompt.value("3", "seed") == "18446744073709551615")
        #expect(prompt.value("9", "noise_seed") == "18446744073709551615")
        #expect(prompt.value("10", "seed") == "9[0]")
        #expect(changed.first?.previous == .literal(.int(1)))
    }

    @Test func nearestNames() {
        let names = ["KSampler", "KSamplerAdvanced", "VAEDecode", "models/flux/ae.safetensors"]
        #expect(NearestName.find("ksampelr", among: names) == "KSampler")
        #expect(NearestName.find("VAE Decode", among: names) == "VAEDecode")
        #expect(NearestName.find("AE.safetensors", among: names) == "models/flux/ae.safetensors")
        #expect(NearestName.find("SamplerAdvanced", among: names) == "KSamplerAdvanced")
        #expect(NearestName.find("Decode", among: names) == "VAEDecode")
        #expect(NearestName.find("zzz", among: names) == nil)
        #expect(NearestName.find("", among: names) == nil)
        #expect(NearestName.find(String(repeating: "a", count: 100_000), among: names) == nil)
        #expect(NearestName.distance("abcd", "acbd") == 1)
        #expect(NearestName.distance("kitten", "SITTING") == 3)
        #expect(NearestName.distance("", "abc") == 3)
        #expect(NearestName.hint("ksampelr", among: names) == " (did you mean \"KSampler\"?)")
    }
}
