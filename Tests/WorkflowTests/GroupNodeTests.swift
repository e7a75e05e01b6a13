import JSON
import NodeKit
import OrderedCollections
import Testing

@testable import Workflow

/// Group nodes (ui-format.md §9).
@Suite struct GroupNodeTests {
    /// A reroute for the model (from outside), an encoder for the clip (from outside), a sampler with a converted
    /// `cfg`, a primitive for its steps, and a decoder whose image and latent lead out.
    static let definition = """
        {"nodes": [
           {"type": "Reroute", "index": 0, "inputs": [{"name": "", "type": "*", "link": null}], "outputs": [{"name": "", "type": "*"}]},
           {"type": "CLIPTextEncode", "index": 1, "widgets_values": ["inner"], "outputs": [{"name": "C", "type": "CONDITIONING"}],
            "inputs": [{"name": "clip", "type": "CLIP", "link": 77}]},
           {"type": "KSampler", "index": 2, "widgets_values": [1, "fixed", 20, 8, "euler", "normal", 1],
            "outputs": [{"name": "LATENT", "type": "LATENT"}],
            "inputs": [{"name": "model", "type": "MODEL"}, {"name": "positive", "type": "CONDITIONING"},
                       {"name": "negative", "type": "CONDITIONING"}, {"name": "latent_image", "type": "LATENT"},
                       {"name": "steps", "type": "INT", "widget": {"name": "steps"}},
                       {"name": "cfg", "type": "FLOAT", "widget": {"name": "cfg"}}]},
           {"type": "PrimitiveNode", "index": 3, "widgets_values": [20, "fixed"], "outputs": [{"name": "INT", "type": "INT"}]},
           {"type": "VAEDecode", "index": 4, "outputs": [{"name": "IMAGE", "type": "IMAGE"}],
            "inputs": [{"name": "samples", "type": "LATENT"}, {"name": "vae", "type": "VAE"}]}],
         "links": [[null, 0, 0, 0, 4, "MODEL"], [0, 0, 2, 0, 5, "MODEL"], [1, 0, 2, 1, 6, "CONDITIONING"], [1, 0, 2, 2, 6, "CONDITIONING"],
                   [3, 0, 2, 4, 7, "INT"], [2, 0, 4, 0, 8, "LATENT"], [9, 0, 0, 0], ["x"]],
         "external": [[2, 0, "LATENT"]],
         "config": {"1": {"input": {"text": {"visible": false}}}}}
        """

    /// Sockets from outside in node order: reroute (model), clip, latent_image, vae; then cfg. Values: text, seed and
    /// control, sampler, scheduler, denoise, the primitive's and its control; then cfg.
    private func sketch(_ type: String = "workflow>G", mode: Int = 0, values: String? = nil, cfg: String = "") -> Sketch
    {
        var sketch = Sketch()
        sketch.members["extra"] = "{\"groupNodes\": {\"G\": \(Self.definition), \"unused\": {\"nodes\": 5}}}"
        sketch.node(1, "CheckpointLoaderSimple", [], ["MODEL", "CLIP", "VAE"], values: "[\"m\"]")
        sketch.node(2, "EmptyLatentImage", [], ["LATENT"])
        sketch.node(
            5, type,
            ["model:MODEL=1", "clip:CLIP=2", "latent_image:LATENT=3", "vae:VAE=4"] + (cfg.isEmpty ? [] : [cfg]),
            ["LATENT", "IMAGE"], values: values, mode: mode)
        sketch.node(6, "PreviewImage", ["images:IMAGE=5"])
        sketch.node(7, "LatentUpscale", ["samples:LATENT=6"], values: "[\"a\", 8, 8, \"disabled\"]")
        sketch.link(1, 1, 0, 5, 0, "MODEL")
        sketch.link(2, 1, 1, 5, 1, "CLIP")
        sketch.link(3, 2, 0, 5, 2, "LATENT")
        sketch.link(4, 1, 2, 5, 3, "VAE")
        sketch.link(5, 5, 1, 6, 0, "IMAGE")
        sketch.link(6, 5, 0, 7, 0, "LATENT")
        return sketch
    }

    @Test(arguments: ["workflow>G", "workflow/G"])
    func expands(type: String) throws {
        let values = "[\"outer\", 99, \"randomize\", \"heun\", \"simple\", 0.5, 8, \"fixed\", 3.5]"
        let prompt = try sketch(type, values: values).prompt()
        #expect(prompt.ids == ["1", "2", "5:1", "5:2", "5:4", "6", "7"])
        #expect(prompt.inputs("5:1") == "text=\"outer\" clip=1[1]")
        #expect(
            prompt.inputs("5:2") == "seed=99 steps=8 cfg=3.5 sampler_name=\"heun\" scheduler=\"simple\" denoise=0.5 "
                + "model=1[0] positive=5:1[0] negative=5:1[0] latent_image=2[0]")
        #expect(prompt.inputs("5:4") == "samples=5:2[0] vae=1[2]")
        // The sampler's latent leads out although it is linked inside.
        #expect(prompt.value("6", "images") == "5:4[0]" && prompt.value("7", "samples") == "5:2[0]")
    }

    @Test func valuesMissingComeFromInside() throws {
        let prompt = try sketch(values: "[\"outer\", 99]").prompt()
        #expect(prompt.value("5:1", "text") == "\"outer\"" && prompt.value("5:2", "seed") == "99")
        #expect(prompt.value("5:2", "sampler_name") == "\"euler\"" && prompt.value("5:2", "steps") == "20")
        #expect(try sketch().prompt().value("5:2", "cfg") == "8")
    }

    @Test func convertedWidgetsMayBeLinked() throws {
        var linked = sketch(cfg: "cfg:FLOAT*=9")
        linked.node(8, "PrimitiveFloat", [], ["FLOAT"], values: "[4.5]")
        linked.link(9, 8, 0, 5, 4)
        #expect(try linked.prompt().value("5:2", "cfg") == "8[0]")
        var constant = sketch(cfg: "cfg:FLOAT*=9")
        constant.node(8, "PrimitiveNode", [], ["FLOAT"], values: "[4.5, \"fixed\"]")
        constant.link(9, 8, 0, 5, 4)
        #expect(try constant.prompt().value("5:2", "cfg") == "4.5")
        var titled = sketch(cfg: "KSampler cfg:FLOAT*=9")
        titled.node(8, "PrimitiveFloat", [], ["FLOAT"], values: "[4.5]")
        titled.link(9, 8, 0, 5, 4)
        #expect(try titled.prompt().value("5:2", "cfg") == "8[0]")
    }

    @Test func mutedAndBypassed() throws {
        let muted = try sketch(mode: 2).prompt()
        #expect(
            muted.ids == ["1", "2", "6", "7"] && muted.inputs("6") == "" && muted.value("7", "samples") == "nothing")
        let bypassed = try sketch(mode: 4).prompt()
        #expect(bypassed.ids == ["1", "2", "6", "7"])
        #expect(bypassed.value("7", "samples") == "2[0]" && bypassed.inputs("6") == "")
    }

    /// From front end 1.16 on every widget has a marker: all values come in node order.
    @Test func modernDefinitions() throws {
        let definition = """
            {"nodes": [
               {"type": "RandomNoise", "widgets_values": [1, "fixed"], "outputs": [{"name": "NOISE", "type": "NOISE"}],
                "inputs": [{"name": "noise_seed", "type": "INT", "widget": {"name": "noise_seed"}}]},
               {"type": "BasicScheduler", "widgets_values": ["simple", 20, 1], "outputs": [{"name": "SIGMAS", "type": "SIGMAS"}],
                "inputs": [{"name": "model", "type": "MODEL"}, {"name": "scheduler", "type": "COMBO", "widget": {"name": "scheduler"}},
                           {"name": "steps", "type": "INT", "widget": {"name": "steps"}},
                           {"name": "denoise", "type": "FLOAT", "widget": {"name": "denoise"}}]}],
             "links": [], "external": [], "config": {"0": {"output": {"0": {"visible": false}}}, "1": {"input": {"steps": {"visible": false}}}}}
            """
        var sketch = Sketch()
        sketch.members["extra"] = "{\"groupNodes\": {\"G\": \(definition)}}"
        sketch.node(3, "workflow>G", ["model:MODEL"], ["SIGMAS"], values: "[7, \"randomize\", \"beta\", 12, 0.5]")
        sketch.node(4, "SamplerCustomAdvanced", ["sigmas:SIGMAS=1"])
        sketch.link(1, 3, 0, 4, 0)
        let prompt = try sketch.prompt()
        #expect(prompt.inputs("3:0") == "noise_seed=7")
        #expect(prompt.inputs("3:1") == "scheduler=\"beta\" steps=12 denoise=0.5")
        #expect(prompt.value("4", "sigmas") == "3:1[0]")
    }

    @Test func unknownInnerNodesKeepTheirPlaces() throws {
        let definition = """
            {"nodes": [{"type": "Strange", "widgets_values": [1, 2]}, {"type": "VAELoader", "widgets_values": ["a"]}], "links": []}
            """
        var sketch = Sketch()
        sketch.members["extra"] = "{\"groupNodes\": {\"G\": \(definition)}}"
        sketch.node(3, "workflow>G", values: "[7, 8, \"b\"]")
        #expect(try sketch.prompt().inputs("3:1") == "vae_name=\"b\"")
    }

    @Test func faultsInUsedDefinitionsAreErrors() {
        var sketch = Sketch()
        sketch.members["extra"] = "{\"groupNodes\": {\"G\": {\"nodes\": [{\"id\": 5}]}}}"
        sketch.node(3, "workflow>G")
        do {
            _ = try sketch.prompt()
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains("extra.groupNodes[\"G\"].nodes[0].type"))
        }
    }
}
