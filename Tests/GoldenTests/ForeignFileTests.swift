import CPUBackend
import Checkpoints
import Diffusion
import Foundation
import Models
import Sampling
import Tensors
import TestSupport
import Testing

/// LoRAs and ControlNets of another family than the model's are refused with both names.
struct ForeignFileTests {
    private let models: String
    private let backend = CPUBackend(precision: .float32, threads: 2)

    init() throws { models = try GoldenModels.folder() }

    private func network(_ path: String) throws -> any DiffusionNetwork {
        try ModelLoader.network(path: "\(models)/\(path).safetensors", weightType: nil, warn: { _ in })
    }

    private func failure(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return ""
    }

    /// One evaluation of a model whose positive carries a ControlNet.
    private func evaluate(_ model: String, control: String, context: Int, pooled: Int) throws {
        let network = try network(model)
        let channels = network.latentFormat.channels
        var entry = ConditioningEntry(context: try Tensor.zeros([1, 77, context]))
        entry[PooledOutput.self] = try Tensor.zeros([1, pooled])
        entry[Control.self] = [
            ControlAttachment(
                control: ControlNet(
                    network: try ModelLoader.controlNetwork(
                        path: "\(models)/controlnet/\(control).safetensors", warn: { _ in })),
                image: try Tensor.zeros([1, 64, 64, 3]), strength: 1, range: PercentRange(start: 0, end: 1),
                autoencoder: try ModelLoader.autoencoder(
                    path: "\(models)/vae/\(channels == 16 ? "ae-mini" : "kl4-mini").safetensors", warn: { _ in }))
        ]
        let latent = try Tensor.zeros([1, channels, 8, 8])
        let geometry = RunGeometry(
            latentShape: latent.shape, latent: latent, noiseMask: nil, sampling: network.sampling)
        let guider = CFGGuider(model: DiffusionModel(network: network), positive: [entry], negative: nil, cfg: 1)
        let denoiser = try guider.denoiser(for: geometry, on: backend)
        _ = try denoiser(latent, 1)
    }

    @Test func controlNets() {
        let larger = failure {
            try evaluate("checkpoints/sd15-mini", control: "sdxl-diffusers-mini", context: 64, pooled: 64)
        }
        #expect(larger.contains("SD1.x") && larger.contains("SDXL"), "\(larger)")
        let smaller = failure {
            try evaluate("checkpoints/sdxl-mini", control: "sd15-cldm-mini", context: 192, pooled: 128)
        }
        #expect(smaller.contains("SD1.x") && smaller.contains("SDXL"), "\(smaller)")
        let union = failure {
            try evaluate("checkpoints/sd15-mini", control: "flux-union-mini", context: 64, pooled: 64)
        }
        #expect(union.contains("SD1.x") && union.contains("FLUX"), "\(union)")
        let flux = failure { try evaluate("unet/flux-mini", control: "sd15-cldm-mini", context: 64, pooled: 128) }
        #expect(flux.contains("SD1.x") && flux.contains("FLUX"), "\(flux)")
    }

    @Test func loras() throws {
        let small = try network("checkpoints/sd15-mini")
        let large = try ModelLoader.lora(path: "\(models)/loras/sdxl-kohya-mini.safetensors")
        let message = failure { _ = try small.adding(lora: large, strength: 1) }
        #expect(message.contains("SD1.x") && message.contains("width 192"), "\(message)")
        let flux = try ModelLoader.lora(path: "\(models)/loras/flux-kohya-clip-mini.safetensors")
        #expect(try small.adding(lora: flux, strength: 1).report.changedWeights == 0)
        #expect(LoRAOrigin.family(of: flux) == "FLUX")
    }

    static let networks = [
        "checkpoints/sd15-mini", "checkpoints/sdxl-mini", "checkpoints/sdxl-inpaint-mini", "unet/sd15-inpaint-mini",
        "unet/sdxl-inpaint-diffusers-mini", "checkpoints/sd3-medium-mini", "checkpoints/sd3.5-medium-mini",
        "checkpoints/sd3.5-large-mini", "unet/aura_flow-diffusers-mini", "unet/flux-mini",
        "unet/flux-schnell-mini", "unet/flux-diffusers-mini",
    ]
    static let loras: [(file: String, origin: String)] = [
        ("aura_flow-peft-mini", "AuraFlow"), ("flux-kohya-clip-mini", "FLUX"), ("turbo-mini", "FLUX"),
        ("flux-bfl-control-mini", "FLUX"), ("sd3-kohya-mini", "SD3 / SD3.5"), ("sd3-peft-mini", "SD3 / SD3.5"),
        ("sd15-kohya-mini", "a UNet with text features of width 64"),
        ("sd15-locon-mini", "a UNet (SD1.x, SD2.x or SDXL)"),
        ("sdxl-kohya-mini", "a UNet with text features of width 192"),
    ]

    /// Every miniature LoRA on every miniature network: it belongs there and changes weights, or nothing matches, or
    /// the message names both families and a layer.
    @Test(arguments: networks) func everyLoRAOn(_ path: String) throws {
        let family = String(path.split(separator: "/")[1].prefix { $0 != "_" && $0 != "-" })
        let network = try self.network(path)
        for (file, origin) in Self.loras {
            let lora = try ModelLoader.lora(path: "\(models)/loras/\(file).safetensors")
            #expect(LoRAOrigin.family(of: lora) == origin, "\(file)")
            do {
                let report = try network.adding(lora: lora, strength: 1).report
                let isOwn =
                    file.hasPrefix(family.prefix(while: { $0 != "." })) || file == "turbo-mini" && family == "flux"
                #expect(isOwn == (report.changedWeights > 0), "\(file) on \(path): \(report.changedWeights)")
            } catch {
                let message = "\(error)"
                #expect(message.contains(network.family), "\(file) on \(path): \(message)")
                #expect(message.contains(origin), "\(file) on \(path): \(message)")
                #expect(message.contains("\"") && message.contains(" × "), "\(file) on \(path): \(message)")
            }
        }
    }

    /// Every miniature ControlNet on a network of every other family, and of its own.
    @Test(arguments: [
        ("checkpoints/sd15-mini", 64, 64, "SD1.x"), ("checkpoints/sdxl-mini", 192, 128, "SDXL"),
        ("unet/flux-mini", 64, 128, "FLUX"), ("unet/sd3-medium-mini-fp8", 384, 192, "SD3"),
        ("unet/aura_flow-diffusers-mini", 96, 64, "AuraFlow"),
    ]) func everyControlNetOn(_ model: String, context: Int, pooled: Int, family: String) throws {
        let controls = [
            ("alimama-inpaint-mini", "FLUX"), ("flux-union-mini", "FLUX"), ("sd15-cldm-mini", "SD1.x"),
            ("sd15-diffusers-mini", "SD1.x"), ("sd3-alimama-inpaint-mini", "SD3"), ("sd3-instantx-mini", "SD3"),
            ("sd3.5-large-depth-mini", "SD3"), ("sdxl-diffusers-mini", "SDXL"),
        ]
        for (control, origin) in controls where origin != family {
            let message = failure { try evaluate(model, control: control, context: context, pooled: pooled) }
            #expect(message.contains(origin), "\(control) on \(model): \(message)")
            #expect(message.contains("ControlNet"), "\(control) on \(model): \(message)")
        }
    }

    /// A ControlNet for the right kind of UNet, but another size of it.
    @Test func controlNetOfAnotherSize() throws {
        let small = try CheckpointFile(path: "\(models)/controlnet/sd15-cldm-mini.safetensors")
        let prefix = "control_model."
        var source = WeightSource(name: "narrow")
        for key in small.keys {
            var tensor = try #require(try small.tensor(key))
            // Half the text features.
            if key.contains("attn2.to_k.weight") || key.contains("attn2.to_v.weight") {
                tensor = try tensor.slice(axis: 1, 0..<tensor.shape[1] / 2).converted(to: .float32)
            }
            source = source.adding(key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : key, tensor)
        }
        let control = try UNetControlNetwork(source)
        let network = try network("checkpoints/sd15-mini")
        let message = failure { try network.requireFitting(control) }
        #expect(message.contains("another size") && message.contains("64") && message.contains("32"), "\(message)")
    }

    /// Every key of the miniature LoRAs has a meaning.
    @Test(arguments: ["sd15-kohya-mini", "sd15-locon-mini"]) func everyKeyOfTheNetworkIsUsed(_ name: String) throws {
        let lora = try ModelLoader.lora(path: "\(models)/loras/\(name).safetensors")
        let used = try network("checkpoints/sd15-mini").adding(lora: lora, strength: 1).report.used
        #expect(used == Set(lora.tensors.keys.filter { $0.hasPrefix("lora_unet_") }))
    }
}
