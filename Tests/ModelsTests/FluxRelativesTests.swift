import CPUBackend
import Checkpoints
import Diffusion
import Foundation
import ModelMaker
import Tensors
import TestSupport
import Testing

@testable import Models

/// FLUX's relatives against an independent computation (Files/relatives/make_fixtures.py).
@Suite struct FluxRelativesTests {
    private let backend = CPUBackend(precision: .float32, threads: 2)

    /// The tensors of a fixture.
    struct Fixture {
        let file: CheckpointFile

        init(_ name: String) throws {
            file = try CheckpointFile(path: FluxTraceTests.file("relatives/\(name).safetensors"))
        }

        subscript(key: String) -> Tensor {
            get throws { try #require(try file.tensor(key), "\(key)") }
        }

        /// A network call with what every fixture has.
        func call(_ network: any DiffusionNetwork, context: String = "context") throws -> NetworkCall {
            var entry = ConditioningEntry(context: try self[context])
            entry[PooledOutput.self] = try file.tensor("pooled")
            let x = try self["x"]
            let geometry = RunGeometry(latentShape: x.shape, latent: x, noiseMask: nil, sampling: network.sampling)
            let sigma = try self["sigma"].floats()[0]
            return NetworkCall(
                x: x, sigma: sigma, time: network.sampling.networkTime(sigma), entry: entry, geometry: geometry)
        }
    }

    private static func model(_ name: String) throws -> String {
        let target = FileManager.default.temporaryDirectory.appendingPathComponent(
            "graphrun-models-tests/relatives/\(UUID())/\(name).safetensors")
        try ManifestFolder.read(FluxTraceTests.file("relatives/\(name).ckpt.json")).write(to: target.path)
        return target.path
    }

    private static func network(_ path: String) throws -> any DiffusionNetwork {
        try ModelLoader.network(path: path, weightType: nil, warn: { Issue.record("\($0)") })
    }

    private static func base() throws -> any DiffusionNetwork { try network(FluxTraceTests.model("flux-mini")) }

    private func expect(
        _ call: NetworkCall, _ network: any DiffusionNetwork, gives expected: Tensor, _ name: Comment
    ) throws {
        let exact = try network(call, on: backend)
        #expect(exact.shape == expected.shape, name)
        #expect(try relativeError(exact, expected) < 1e-5, name)
        let fast = try network(call, on: CPUBackend(precision: .bfloat16, threads: 2))
        #expect(try relativeError(fast, expected) < 2e-2, name)
    }

    @Test func chroma() throws {
        let fixture = try Fixture("chroma")
        let network = try Self.network(Self.model("chroma-mini"))
        #expect(network.family == "Chroma")
        var call = try fixture.call(network)
        try expect(call, network, gives: fixture["velocity"], "no guidance is 0")
        #expect(try relativeError(network(call, on: ReferenceBackend()), fixture["velocity"]) < 1e-5)
        call.entry[Guidance.self] = .some(4.5)
        try expect(call, network, gives: fixture["velocity.guidance"], "guidance")
        // The table of dev.
        #expect(network.sampling.table.count == 10000)
    }

    /// A file with diffusers' names gives the same numbers, bit for bit.
    @Test func chromaInDiffusersLayout() throws {
        let source = try WeightSource(CheckpointFile(path: Self.model("chroma-mini")))
        let theirs = try Self.diffusers(source)
        #expect(!theirs.keys.contains { $0.contains("double_blocks") || $0.contains("in_layer") })
        let native = try #require(try ChromaFamily.native(theirs))
        #expect(try FluxFamily.native(theirs) == nil)
        let network = try ChromaFamily.network(native)
        let fixture = try Fixture("chroma")
        let call = try fixture.call(network)
        let own = try Self.network(Self.model("chroma-mini"))
        #expect(try network(call, on: backend).floats() == own(call, on: backend).floats())
        #expect((network as? FluxNetwork)?.unusedKeys == [])
    }

    /// The names of diffusers' `ChromaTransformer2DModel`, written down apart from the table under test.
    private static func diffusers(_ source: WeightSource) throws -> WeightSource {
        var pieces: [String: [WeightPiece]] = [:]
        func put(_ key: String, _ tensor: Tensor) {
            pieces[key] = [WeightPiece(rows: 0..<tensor.shape[0], tensor: tensor, fileKey: key)]
        }
        let renames: [(String, String)] = [
            ("img_in.", "x_embedder."), ("txt_in.", "context_embedder."), ("final_layer.linear.", "proj_out."),
            (".in_layer.", ".linear_1."), (".out_layer.", ".linear_2."), ("double_blocks.", "transformer_blocks."),
            (".img_attn.proj.", ".attn.to_out.0."), (".txt_attn.proj.", ".attn.to_add_out."),
            (".img_attn.norm.query_norm.scale", ".attn.norm_q.weight"),
            (".img_attn.norm.key_norm.scale", ".attn.norm_k.weight"),
            (".txt_attn.norm.query_norm.scale", ".attn.norm_added_q.weight"),
            (".txt_attn.norm.key_norm.scale", ".attn.norm_added_k.weight"),
            (".img_mlp.0.", ".ff.net.0.proj."), (".img_mlp.2.", ".ff.net.2."),
            (".txt_mlp.0.", ".ff_context.net.0.proj."), (".txt_mlp.2.", ".ff_context.net.2."),
            ("single_blocks.", "single_transformer_blocks."), (".linear2.", ".proj_out."),
            (".norm.query_norm.scale", ".attn.norm_q.weight"), (".norm.key_norm.scale", ".attn.norm_k.weight"),
        ]
        for key in source.keys {
            let tensor = try #require(source.pieces[key]?.first).tensor
            var name = key
            for (ours, theirs) in renames { name = name.replacingOccurrences(of: ours, with: theirs) }
            if name.hasPrefix("distilled_guidance_layer.norms.") {
                name = name.replacingOccurrences(of: ".scale", with: ".weight")
            }
            let width = 256
            let splits: [(String, [(String, Int, Int)])] = [
                (".img_attn.qkv.", [(".attn.to_q.", 0, 1), (".attn.to_k.", 1, 1), (".attn.to_v.", 2, 1)]),
                (
                    ".txt_attn.qkv.",
                    [(".attn.add_q_proj.", 0, 1), (".attn.add_k_proj.", 1, 1), (".attn.add_v_proj.", 2, 1)]
                ),
                (
                    ".linear1.",
                    [(".attn.to_q.", 0, 1), (".attn.to_k.", 1, 1), (".attn.to_v.", 2, 1), (".proj_mlp.", 3, 4)]
                ),
            ]
            guard let split = splits.first(where: { name.contains($0.0) }) else {
                put(name, tensor)
                continue
            }
            for (theirs, start, count) in split.1 {
                put(
                    name.replacingOccurrences(of: split.0, with: theirs),
                    try tensor.slice(axis: 0, start * width..<(start + count) * width))
            }
        }
        return WeightSource(name: "diffusers", pieces: pieces)
    }

    @Test(arguments: ReferenceLatentMethod.allCases) func references(_ method: ReferenceLatentMethod) throws {
        let fixture = try Fixture("kontext")
        let network = try Self.base()
        var call = try fixture.call(network)
        call.entry[ReferenceLatents.self] = try (0..<3).map { try fixture["reference.\($0)"] }
        call.entry[ReferenceLatentPlacement.self] = method
        try expect(call, network, gives: fixture["velocity.\(method.rawValue)"], "\(method)")
        if method == .offset {
            call.entry[ReferenceLatentPlacement.self] = nil
            try expect(call, network, gives: fixture["velocity.offset"], "the default")
        }
    }

    /// `FluxDisableGuidance`.
    @Test func noGuidance() throws {
        let fixture = try Fixture("kontext")
        let network = try Self.base()
        var call = try fixture.call(network)
        call.entry[Guidance.self] = .some(nil)
        try expect(call, network, gives: fixture["velocity.none"], "none")
    }

    @Test func unfitReferencesAreNamed() throws {
        let network = try Self.base()
        var call = try Fixture("kontext").call(network)
        func message(_ latent: Tensor) -> String {
            call.entry[ReferenceLatents.self] = [latent]
            do { _ = try network(call, on: backend) } catch { return "\(error)" }
            return ""
        }
        #expect(message(try Tensor.zeros([1, 4, 8, 8])).contains("another model family"))
        #expect(message(try Tensor.zeros([3, 16, 8, 8])).contains("batch of 1"))
    }

    @Test func styleModel() throws {
        let fixture = try Fixture("style")
        let style = try ModelLoader.styleModel(path: Self.model("style-mini"))
        #expect(try relativeError(style(fixture["features"], on: backend), fixture["tokens"]) < 1e-6)
        #expect(throws: TensorError.self) { try style(Tensor.zeros([1, 3, 41]), on: backend) }
        #expect(throws: CheckpointError.self) {
            try ModelLoader.styleModel(path: FluxTraceTests.model("flux-mini"))
        }
    }

    /// Two additions with a bias, the second behind the first.
    @Test func styleAttention() throws {
        let fixture = try Fixture("style")
        let network = try Self.base()
        var call = try fixture.call(network, context: "text")
        let tokens = try fixture["tokens"]
        call.entry.context = try HostMath.concatenate(
            [call.entry.context, tokens.reshaped([1, 6, 64]), tokens.slice(axis: 0, 0..<1)], axis: 1)
        try expect(call, network, gives: fixture["velocity.unbiased"], "without bias")
        call.entry[StyleAttention.self] = [
            try StyleStretch(start: 5, count: 6, strength: 0.4), try StyleStretch(start: 11, count: 3, strength: 2),
        ]
        try expect(call, network, gives: fixture["velocity"], "with bias")
        #expect(try relativeError(network(call, on: ReferenceBackend()), fixture["velocity"]) < 1e-5)
    }

    /// Strength 0 hides the tokens: the picture is that of the text alone.
    @Test func styleOfNoStrength() throws {
        let fixture = try Fixture("style")
        let network = try Self.base()
        var call = try fixture.call(network, context: "text")
        let alone = try network(call, on: backend)
        call.entry.context = try HostMath.concatenate(
            [call.entry.context, fixture["tokens"].reshaped([1, 6, 64])], axis: 1)
        call.entry[StyleAttention.self] = [try StyleStretch(start: 5, count: 6, strength: 0)]
        #expect(try relativeError(network(call, on: backend), alone) < 1e-6)
        let stretches = try #require(call.entry[StyleAttention.self])
        let content = try #require(StyleAttention.stored(stretches))
        #expect(StyleAttention.restored(content) == stretches)
    }

    @Test func mistoline() throws {
        let fixture = try Fixture("mistoline")
        let network = try Self.base()
        let control = try ModelLoader.controlNetwork(path: Self.model("mistoline-mini"), warn: { _ in })
        #expect(control.family.contains("MistoLine") && !control.needsAutoencoder)
        var call = try fixture.call(network)
        var geometry = call.geometry
        geometry.network = network
        let attachment = ControlAttachment(
            control: ControlNet(network: control), image: try fixture["picture"], strength: 0.6,
            range: PercentRange(start: 0, end: 1), autoencoder: nil)
        let prepared = try control.prepare(
            attachment, for: geometry, latentFormat: network.latentFormat, on: backend)
        call.control = try prepared.residuals(call, on: backend)
        #expect(try relativeError(network(call, on: backend), fixture["velocity"]) < 1e-5)

        // Residuals are for the picture's own tokens, not for those of references.
        call.entry[ReferenceLatents.self] = [try Tensor.zeros([1, 16, 4, 4])]
        #expect(try network(call, on: backend).shape == call.x.shape)

        geometry.latentShape = [1, 16, 5, 6]
        let odd = #expect(throws: CheckpointError.self) {
            try control.prepare(attachment, for: geometry, latentFormat: network.latentFormat, on: backend)
        }
        #expect(odd?.message.contains("48 × 40") == true)
    }

    /// USO's names mean the image's and the text's projections, and the first three widths of `linear1`.
    @Test func subjectDrivenLoRA() throws {
        func factor(_ rows: Int, _ columns: Int) throws -> Tensor { try Tensor.full([rows, columns], 0.01) }
        var tensors: [String: Tensor] = [:]
        for (layer, rows, columns) in [
            ("double_blocks.18.processor.qkv_lora2", 768, 256), ("single_blocks.37.processor.qkv_lora", 768, 256),
            ("double_blocks.0.processor.qkv_lora1", 768, 256), ("double_blocks.0.processor.proj_lora2", 256, 256),
            ("single_blocks.0.processor.qkv_lora", 768, 256), ("single_blocks.0.processor.proj_lora", 256, 1280),
        ] {
            tensors[layer + ".down.weight"] = try factor(2, columns)
            tensors[layer + ".up.weight"] = try factor(rows, 2)
        }
        let network = try Self.base()
        let (changed, report) = try network.adding(lora: NamedTensors(name: "uso", tensors: tensors), strength: 1)
        // The miniature has no block 18 or 37.
        let beyond = tensors.keys.filter { $0.contains(".18.") || $0.contains(".37.") }
        #expect(report.used == Set(tensors.keys).subtracting(beyond))
        #expect(report.changedWeights == 4)
        let call = try Fixture("kontext").call(network)
        #expect(try relativeError(changed(call, on: backend), network(call, on: backend)) > 1e-4)
    }

    @Test func outputsOfControlNetsReachBlocks() {
        func blocks(_ layout: FluxControlLayout, _ base: Int, _ outputs: Int) -> [Int?] {
            (0..<base).map { layout.output(forBlock: $0, of: base, outputs: outputs) }
        }
        #expect(
            blocks(.diffusers, 19, 5) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4])
        // alimama's sixth output reaches no block.
        #expect(Set(blocks(.diffusers, 19, 6)) == [0, 1, 2, 3, 4])
        #expect(blocks(.diffusers, 38, 10).suffix(3) == [8, 9, 9])
        #expect(blocks(.xlabs, 5, 2) == [0, 1, 0, 1, 0])
        #expect(blocks(.mistoline, 3, 0) == [nil, nil, nil])
    }
}
