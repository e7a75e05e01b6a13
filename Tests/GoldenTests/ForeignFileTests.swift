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

    /// Every key of the miniature LoRAs has a meaning.
    @Test(arguments: ["sd15-kohya-mini", "sd15-locon-mini"]) func everyKeyOfTheNetworkIsUsed(_ name: String) throws {
        let lora = try ModelLoader.lora(path: "\(models)/loras/\(name).safetensors")
        let used = try network("checkpoints/sd15-mini").adding(lora: lora, strength: 1).report.used
        #expect(used == Set(lora.tensors.keys.filter { $0.hasPrefix("lora_unet_") }))
    }
}
