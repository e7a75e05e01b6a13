import JSON
import NodeKit
import OrderedCollections
import Testing

@testable import Workflow

/// cg-use-everywhere (ui-format.md §10).
@Suite struct BroadcastTests {
    /// A loader 1, an encoder 2 without a clip, a decoder 3 without anything.
    private func sketch() -> Sketch {
        var sketch = Sketch()
        sketch.node(1, "CheckpointLoaderSimple", [], ["MODEL", "CLIP", "VAE"], values: "[\"m\"]")
        sketch.node(
            2, "CLIPTextEncode", ["clip:CLIP"], ["CONDITIONING"], values: "[\"a\"]",
            members: ["pos": "[10, 10]", "size": "[10, 10]"])
        sketch.node(
            3, "VAEDecode", ["samples:LATENT", "vae:VAE"],
            members: ["color": "\"#111\"", "pos": "{\"0\": 500, \"1\": 500}"])
        return sketch
    }

    @Test func notedLinksCount() throws {
        var sketch = sketch()
        sketch.node(4, "Reroute", [":*=1"], ["*"])
        sketch.node(5, "Anything Everywhere", ["anything:*"])
        sketch.node(6, "EmptyLatentImage", [], ["LATENT"], mode: 2)
        sketch.link(1, 1, 1, 4, 0, "CLIP")
        sketch.members["extra"] = """
            {"ue_links": [{"downstream": 2, "downstream_slot": 0, "upstream": "4", "upstream_slot": 0, "controller": 5, "type": "CLIP"},
                          {"downstream": "3", "downstream_slot": 1, "upstream": 1, "upstream_slot": 2, "type": "VAE"},
                          {"downstream": 3, "downstream_slot": 0, "upstream": 6, "upstream_slot": 0, "type": "LATENT"},
                          {"downstream": 99, "downstream_slot": 0, "upstream": 1, "upstream_slot": 0, "type": "LATENT"}, 5]}
            """
        let prompt = try sketch.prompt()
        #expect(prompt.value("2", "clip") == "1[1]")
        #expect(prompt.inputs("3") == "vae=1[2]")
        #expect(prompt.ids == ["1", "2", "3"])
    }

    /// The slot's number counts widgets without a slot in the file.
    @Test func notedLinksToUnlistedWidgets() throws {
        var sketch = Sketch()
        sketch.node(1, "PrimitiveInt", [], ["INT"], values: "[5]")
        sketch.node(
            2, "KSampler", ["model:MODEL", "positive:CONDITIONING", "negative:CONDITIONING", "latent_image:LATENT"],
            values: "[1, \"fixed\"]")
        sketch.members["extra"] =
            "{\"ue_links\": [{\"downstream\": 2, \"downstream_slot\": 4, \"upstream\": 1, \"upstream_slot\": 0, \"type\": \"INT\"}]}"
        #expect(try sketch.prompt().value("2", "seed") == "1[0]")
    }

    @Test func linksByHandStay() throws {
        var sketch = sketch()
        sketch.node(7, "CheckpointLoaderSimple", [], ["MODEL", "CLIP", "VAE"], values: "[\"n\"]")
        sketch.node(8, "VAEDecode", ["vae:VAE=1"])
        sketch.node(9, "VAEDecode", ["vae:VAE=50"])
        sketch.link(1, 7, 2, 8, 0)
        sketch.members["extra"] = """
            {"ue_links": [{"downstream": 8, "downstream_slot": 0, "upstream": 1, "upstream_slot": 2, "type": "VAE"},
                          {"downstream": 9, "downstream_slot": 0, "upstream": 1, "upstream_slot": 2, "type": "VAE"}]}
            """
        let prompt = try sketch.prompt()
        #expect(prompt.value("8", "vae") == "7[2]")
        #expect(prompt.value("9", "vae") == "1[2]")  // its link is not in the table
    }

    @Test func matchingByType() throws {
        var sketch = sketch()
        sketch.node(5, "Anything Everywhere3", ["a:*=1", "b:*=2", "c:*"])
        sketch.link(1, 1, 1, 5, 0, "CLIP")
        sketch.link(2, 1, 2, 5, 1, "*")
        let conversion = try sketch.conversion()
        #expect(conversion.prompt.value("2", "clip") == "1[1]" && conversion.prompt.inputs("3") == "vae=1[2]")
        #expect(conversion.notes.map(\.kind) == [.broadcast, .broadcast])
        #expect(conversion.prompt.ids == ["1", "2", "3"])
    }

    @Test func priorities() throws {
        /// The origin that node 3's vae gets from senders of these types (and properties) for loaders 11, 12, …
        func winner(_ senders: [(String, String?, String)]) throws -> String {
            var sketch = sketch()
            for (index, sender) in senders.enumerated() {
                sketch.node(11 + index, "VAELoader", [], ["VAE"], values: "[\"v\"]")
                sketch.node(
                    21 + index, sender.0, ["VAE:*=\(index + 1)"], values: sender.1,
                    members: ["properties": sender.2, "pos": "[10, 10]", "size": "[10, 10]"])
                sketch.link(index + 1, 11 + index, 0, 21 + index, 0, "VAE")
            }
            sketch.members["groups"] = """
                [{"title": "Left", "bounding": [0, 0, 100, 100]}, {"title": "Right", "bounding": [450, 450, 100, 100]}, {}]
                """
            return try sketch.prompt().value("3", "vae")
        }
        let any = "Anything Everywhere?"
        #expect(try winner([("Anything Everywhere", nil, "{}"), (any, "[\".*\", \".*\", \".*\"]", "{}")]) == "12[0]")
        #expect(try winner([("Anything Everywhere", nil, "{}"), (any, "[\".*\", \"clip\", \".*\"]", "{}")]) == "11[0]")
        #expect(
            try winner([("Anything Everywhere", nil, "{}"), (any, "[\"^VAEDec\", \"vae|VAE\", \".*\"]", "{}")])
                == "12[0]")
        #expect(try winner([("Anything Everywhere", nil, "{}"), (any, "[\".*\", \".*\", \"Left\"]", "{}")]) == "11[0]")
        #expect(
            try winner([("Anything Everywhere", nil, "{}"), (any, "[\".*\", \".*\", \"Right\"]", "{}")]) == "12[0]")
        // Equal priorities connect nothing.
        #expect(try winner([("Anything Everywhere", nil, "{}"), ("Anything Everywhere", nil, "{}")]) == "nothing")
        #expect(
            try winner([("Anything Everywhere", nil, "{}"), ("Anything Everywhere", nil, "{\"priority_boost\": 1}")])
                == "12[0]")
        // Restrictions add a little, and exclude.
        #expect(
            try winner([("Anything Everywhere", nil, "{}"), ("Anything Everywhere", nil, "{\"group_restricted\": 1}")])
                == "11[0]")
        #expect(
            try winner([("Anything Everywhere", nil, "{}"), ("Anything Everywhere", nil, "{\"group_restricted\": 2}")])
                == "12[0]")
        #expect(
            try winner([
                ("Anything Everywhere", nil, "{}"), ("Anything Everywhere", nil, "{\"color_restricted\": true}"),
            ]) == "11[0]")
        // Version 7 keeps its rules in ue_properties.
        let inverted = "{\"ue_properties\": {\"input_regex\": \"vae\", \"input_regex_invert\": true, \"priority\": 9}}"
        #expect(try winner([("Anything Everywhere", nil, "{}"), ("Anything Everywhere", nil, inverted)]) == "11[0]")
        #expect(
            try winner([
                ("Anything Everywhere", nil, "{}"),
                ("Anything Everywhere", nil, inverted.replacing("true", with: "false")),
            ]) == "12[0]")
        // What cannot be understood is not sent.
        #expect(
            try winner([("Anything Everywhere", nil, "{}"), (any, "[\"(?=x)\", \".*\", \".*\"]", "{}")]) == "11[0]")
    }

    @Test func promptsAndSeeds() throws {
        var sketch = Sketch()
        sketch.node(1, "CLIPTextEncode", ["clip:CLIP"], ["CONDITIONING"], values: "[\"a\"]")
        sketch.node(2, "CLIPTextEncode", ["clip:CLIP"], ["CONDITIONING"], values: "[\"b\"]")
        sketch.node(3, "Prompts Everywhere", ["+:CONDITIONING=1", "-:CONDITIONING=2"])
        sketch.node(4, "Seed Everywhere", [], ["INT"], values: "[5, \"fixed\"]")
        sketch.node(
            5, "KSampler", ["positive:CONDITIONING", "negative:CONDITIONING", "seed:INT*", "steps:INT*"],
            values: "[1, \"fixed\"]")
        sketch.node(6, "KSampler", ["positive:CONDITIONING"], values: "[1, \"fixed\"]", mode: 2)
        sketch.link(1, 1, 0, 3, 0, "CONDITIONING")
        sketch.link(2, 2, 0, 3, 1, "CONDITIONING")
        let prompt = try sketch.prompt()
        #expect(prompt.value("5", "positive") == "1[0]" && prompt.value("5", "negative") == "2[0]")
        #expect(prompt.value("5", "seed") == "4[0]" && prompt.value("5", "steps") == "20")
        #expect(prompt.ids == ["1", "2", "4", "5"])
    }

    @Test func deadSendersSendNothing() throws {
        for (senderMode, originMode) in [(2, 0), (4, 0), (0, 2), (0, 4)] {
            var sketch = sketch()
            sketch.node(4, "VAELoader", [], ["VAE"], values: "[\"v\"]", mode: originMode)
            sketch.node(5, "Anything Everywhere", ["a:*=1"], mode: senderMode)
            sketch.link(1, 4, 0, 5, 0, "VAE")
            #expect(try sketch.prompt().inputs("3") == "")
        }
    }
}
