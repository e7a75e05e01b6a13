import CPUBackend
import Checkpoints
import Diffusion
import Foundation
import ModelMaker
import Tensors
import TestSupport
import Testing

@testable import Models

/// SD3 and AuraFlow: the first network call of golden workflows, other layouts, blocks left out, wrong parts.
@Suite struct TransformerTests {
    static let networks = ["sd3-medium", "sd3.5-medium", "aura_flow"]

    struct Call {
        let network: any DiffusionNetwork
        let call: NetworkCall

        init(_ name: String, _ network: any DiffusionNetwork) throws {
            let trace = try CheckpointFile(path: FluxTraceTests.file(name + ".trace.safetensors"))
            let text = name.hasPrefix("sd3") ? "sd3" : name
            let conditioning = try CheckpointFile(path: FluxTraceTests.file(text + "-conditioning.safetensors"))
            var entry = ConditioningEntry(context: try #require(try conditioning.tensor("context")))
            entry[PooledOutput.self] = try conditioning.tensor("pooled")
            let x = try #require(try trace.tensor("in.x"))
            let sigma = try #require(try trace.tensor("in.sigma")).floats()[0]
            let geometry = RunGeometry(latentShape: x.shape, latent: x, noiseMask: nil, sampling: network.sampling)
            self.network = network
            call = NetworkCall(
                x: x, sigma: sigma, time: network.sampling.networkTime(sigma), entry: entry, geometry: geometry)
        }

        func velocity(on backend: any Backend) throws -> Tensor { try network(call, on: backend) }

    }

    private let backend = CPUBackend(precision: .float32, threads: 2)

    /// The network of an all-in-one file; the text encoder, for which no tokenizer is at hand, is left alone.
    static func network(_ name: String) throws -> any DiffusionNetwork {
        let path = try FluxTraceTests.model(name + "-mini")
        let source = try source(path)
        return try ModelLoader.family(of: source).network(source)
    }

    static func source(_ path: String) throws -> WeightSource {
        let file = try CheckpointFile(path: path)
        let prefix = file.keys.contains { $0.hasPrefix("model.diffusion_model.") } ? "model.diffusion_model." : "model."
        return try WeightSource(file, prefix: prefix)
    }

    /// bf16 products stay near fp32 ones. (That fp32 equals the reference is in the goldens of whole workflows.)
    @Test(arguments: networks) func bfloat16IsNear(_ name: String) throws {
        let call = try Call(name, Self.network(name))
        let error = try relativeError(
            call.velocity(on: CPUBackend(precision: .bfloat16, threads: 2)), call.velocity(on: backend))
        #expect(error > 0 && error < 2e-2, "\(error)")
    }

    /// The same through the plain Swift backend: nothing in the models names a backend.
    @Test(arguments: networks) func equalsPlainSwift(_ name: String) throws {
        let call = try Call(name, Self.network(name))
        let error = try relativeError(call.velocity(on: backend), call.velocity(on: ReferenceBackend()))
        #expect(error < 2e-5, "\(error)")
    }

    @Test func familiesAreNamed() throws {
        #expect(try Self.networks.map { try Self.network($0).family } == ["SD3 medium", "SD3.5 medium", "AuraFlow"])
    }

    /// A file with diffusers' names gives the same numbers, bit for bit.
    @Test func diffusersLayoutOfSD3() throws {
        let source = try Self.source(FluxTraceTests.model("sd3.5-medium-mini"))
        let theirs = try diffusers(source)
        #expect(theirs.contains("transformer_blocks.0.attn2.to_q.weight"))
        #expect(!theirs.keys.contains { $0.contains("qkv") })
        let native = try #require(try SD3Family.native(theirs))
        let renamed = try Call("sd3.5-medium", SD3Family.network(native)).velocity(on: backend).floats()
        #expect(try renamed == Call("sd3.5-medium", Self.network("sd3.5-medium")).velocity(on: backend).floats())
    }

    /// The names of diffusers' `SD3Transformer2DModel`, written down apart from the table under test.
    private func diffusers(_ source: WeightSource) throws -> WeightSource {
        let last = source.count("joint_blocks.") - 1
        var pieces: [String: [WeightPiece]] = [:]
        func put(_ key: String, _ tensor: Tensor) {
            pieces[key] = [WeightPiece(rows: 0..<tensor.shape[0], tensor: tensor, fileKey: key)]
        }
        let exact = [
            "pos_embed": "pos_embed.pos_embed", "x_embedder.proj": "pos_embed.proj",
            "context_embedder": "context_embedder", "final_layer.linear": "proj_out",
            "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
            "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
            "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
            "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
        ]
        for key in source.keys {
            let tensor = try #require(source.pieces[key]?.first).tensor
            let suffix = [".weight", ".bias"].first { key.hasSuffix($0) } ?? ""
            let layer = String(key.dropLast(suffix.count))
            let half = tensor.shape[0] / 2
            let swapped = {
                try HostMath.concatenate(
                    [tensor.slice(axis: 0, half..<2 * half), tensor.slice(axis: 0, 0..<half)], axis: 0)
            }
            if let name = exact[layer] {
                put(name + suffix, tensor)
                continue
            }
            if layer == "final_layer.adaLN_modulation.1" {
                put("norm_out.linear" + suffix, try swapped())
                continue
            }
            let parts = layer.split(separator: ".").map(String.init)
            let block = "transformer_blocks.\(parts[1])."
            let isImage = parts[2] == "x_block"
            let rest = parts[3...].joined(separator: ".")
            switch rest {
            case "attn.qkv", "attn2.qkv":
                let third = tensor.shape[0] / 3
                let attention = parts[3]
                for (index, letter) in ["q", "k", "v"].enumerated() {
                    let name = isImage ? "\(attention).to_\(letter)" : "attn.add_\(letter)_proj"
                    put(block + name + suffix, try tensor.slice(axis: 0, index * third..<(index + 1) * third))
                }
            case "attn.proj": put(block + (isImage ? "attn.to_out.0" : "attn.to_add_out") + suffix, tensor)
            case "attn2.proj": put(block + "attn2.to_out.0" + suffix, tensor)
            case "attn.ln_q": put(block + (isImage ? "attn.norm_q" : "attn.norm_added_q") + suffix, tensor)
            case "attn.ln_k": put(block + (isImage ? "attn.norm_k" : "attn.norm_added_k") + suffix, tensor)
            case "attn2.ln_q": put(block + "attn2.norm_q" + suffix, tensor)
            case "attn2.ln_k": put(block + "attn2.norm_k" + suffix, tensor)
            case "mlp.fc1": put(block + (isImage ? "ff" : "ff_context") + ".net.0.proj" + suffix, tensor)
            case "mlp.fc2": put(block + (isImage ? "ff" : "ff_context") + ".net.2" + suffix, tensor)
            case "adaLN_modulation.1":
                let name = block + (isImage ? "norm1" : "norm1_context") + ".linear" + suffix
                put(name, try !isImage && parts[1] == String(last) ? swapped() : tensor)
            default: Issue.record("\(key) is not expected in a native file")
            }
        }
        return WeightSource(name: "diffusers", pieces: pieces)
    }

    @Test(arguments: networks) func blocksCanBeLeftOut(_ name: String) throws {
        let whole = try Call(name, Self.network(name))
        let skippable = try #require(whole.network as? any LayerSkippingNetwork)
        let reference = try whole.velocity(on: backend)
        let without = try Call(name, skippable.skipping(double: [1], single: [])).velocity(on: backend)
        #expect(try relativeError(without, reference) > 1e-3)
        // Indices that no block has change nothing.
        let same = try Call(name, skippable.skipping(double: [99], single: [99])).velocity(on: backend)
        #expect(try same.floats() == reference.floats())
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch { return "\(error)" }
    }

    @Test func aCheckpointWithoutTextEncodersSaysWhatLoadsThem() throws {
        var warnings: [String] = []
        let parts = try ModelLoader.checkpoint(
            path: FluxTraceTests.model("sd3-medium-mini"), tokenizerFolders: [], embeddings: { _ in nil },
            warn: { warnings.append($0) })
        #expect(parts.encoder == nil && parts.autoencoder != nil)
        #expect(parts.encoderLoaders.contains("TripleCLIPLoader"))
        #expect(warnings.contains { $0.contains("TripleCLIPLoader") })
    }

    @Test func aPictureBeyondThePositionsIsRefused() throws {
        var call = try Call("sd3.5-medium", Self.network("sd3.5-medium"))
        let network = call.network
        var large = call.call
        large.x = try .zeros([1, 16, 68, 8])
        let text = message { _ = try network(large, on: backend) }
        #expect(text.contains("4 × 34") && text.contains("32 × 32"))
        call = try Call("aura_flow", Self.network("aura_flow"))
        var wide = call.call
        wide.x = try .zeros([1, 4, 2, 34])
        #expect(try call.network(wide, on: backend).shape == wide.x.shape)
    }

    @Test func foreignTextFeaturesAreRefused() throws {
        let sd3 = try Call("sd3-medium", Self.network("sd3-medium"))
        let aura = try Call("aura_flow", Self.network("aura_flow"))
        var call = sd3.call
        call.entry = aura.call.entry
        #expect(message { _ = try sd3.network(call, on: backend) }.contains("CLIP-G"))
        call = aura.call
        call.entry = sd3.call.entry
        #expect(message { _ = try aura.network(call, on: backend) }.contains("Pile-T5-XL"))
    }

    @Test func aControlNetOfAnotherFamilyIsRefused() throws {
        let control = try ModelLoader.controlNetwork(path: FluxTraceTests.model("sd3-instantx-mini"), warn: { _ in })
        #expect(control.family == "SD3 ControlNet")
        let attachment = ControlAttachment(
            control: ControlNet(network: control), image: try .zeros([1, 64, 96, 3]), strength: 1,
            range: PercentRange(start: 0, end: 1), autoencoder: nil)
        func failure(_ network: any DiffusionNetwork) throws -> String {
            var geometry = try Call("aura_flow", network).call.geometry
            geometry.network = network
            return message {
                _ = try control.prepare(attachment, for: geometry, latentFormat: network.latentFormat, on: backend)
            }
        }
        let foreign = try failure(Self.network("aura_flow"))
        #expect(foreign.contains("SD3 ControlNet") && foreign.contains("AuraFlow"))
        // With the right base it is the VAE that is missing.
        #expect(try failure(Self.network("sd3-medium")).contains("VAE"))
    }

    /// 2 outputs for 4 blocks: each serves two neighbours, the last one time less.
    @Test func residualsAreDistributed() throws {
        let path = try FluxTraceTests.model("sd3-instantx-mini")
        let control = try SD3ControlNetwork(WeightSource(CheckpointFile(path: path)))
        #expect(control.outputs.count == 2 && control.run == 2 && control.usedOutputs == 2)
        let hint = try Tensor.full([1, 16, 8, 12], 0.5)
        let prepared = SD3PreparedControl(network: control, hint: hint, strength: 0.5)
        let call = try Call("sd3-medium", Self.network("sd3-medium")).call
        let list = try #require(try prepared.residuals(call, on: backend).groups["joint"])
        let values = try list.map { try #require($0).floats() }
        #expect(values.count == 3 && values[0] == values[1] && values[1] != values[2])
        let double = SD3PreparedControl(network: control, hint: hint, strength: 1)
        let strong = try #require(try double.residuals(call, on: backend).residual("joint", 0))
        #expect(try relativeError(strong, HostMath.scale(#require(list[0]), 2)) < 1e-6)
    }
}
