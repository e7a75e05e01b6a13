import Diffusion
import Sampling
import Tensors

/// A network whose output is the input times a strength: linear, so that results are easy to predict.
struct StubNetwork: DiffusionNetwork {
    var strength: Float = 0
    var family: String { "stub network" }
    var latentFormat = LatentFormat(channels: 16, scale: 0.5, shift: 0.25)
    var sampling: any ModelSampling = FluxSampling()

    func callAsFunction(_ call: NetworkCall, on backend: any Backend) throws -> Tensor {
        let strength = strength
        return try HostMath.map(call.x) { $0 * strength }
    }

    func adding(
        lora: NamedTensors, strength: Float
    ) throws -> (network: any DiffusionNetwork, report: LoRAReport) {
        var copy = self
        copy.strength += strength
        return (copy, stubReport(lora, prefix: "net."))
    }
}

/// An encoder that writes down what it was asked: the context has one row per encoder name with the text's length.
struct StubEncoder: TextEncoder {
    var strength: Float = 0
    var family: String { "stub encoder" }

    func encode(_ prompt: PromptText, on backend: any Backend, warn: (String) -> Void) throws -> ConditioningEntry {
        if prompt.common.contains("embedding:") { warn("no embedding") }
        let lengths = ["clip_l", "t5xxl"].map { Float(prompt.text(for: $0).count) }
        var entry = ConditioningEntry(context: try Tensor(lengths, shape: [1, 2, 1]))
        entry[PooledOutput.self] = try Tensor([7, 8], shape: [1, 2])
        return entry
    }

    func adding(lora: NamedTensors, strength: Float) throws -> (encoder: any TextEncoder, report: LoRAReport) {
        var copy = self
        copy.strength += strength
        return (copy, stubReport(lora, prefix: "lora_te."))
    }

    func stoppingAt(layer: Int) -> any TextEncoder { self }
}

/// Halves pictures into latents of one cell per 8×8 pixels, and back.
struct StubAutoencoder: Autoencoder {
    var family: String { "stub VAE" }
    var latentChannels: Int { 16 }
    var downscale: Int { 8 }
    func encode(_ image: Tensor, on backend: any Backend) throws -> Tensor {
        try Tensor.full([image.shape[0], 16, image.shape[1] / 8, image.shape[2] / 8], 0.5)
    }
    func decode(_ latent: Tensor, on backend: any Backend) throws -> Tensor {
        try Tensor.full([latent.shape[0], latent.shape[2] * 8, latent.shape[3] * 8, 3], 0.25)
    }
}

struct StubControlNetwork: ControlNetwork {
    var family: String { "stub ControlNet" }
    var needsAutoencoder = false
    var extraHintChannels = 0
    func prepare(
        _ attachment: ControlAttachment, for geometry: RunGeometry, latentFormat: LatentFormat,
        on backend: any Backend
    ) throws -> any PreparedControl { Prepared() }
    struct Prepared: PreparedControl {
        func residuals(_ call: NetworkCall, on backend: any Backend) throws -> ControlResiduals { ControlResiduals() }
    }
}

private func stubReport(_ lora: NamedTensors, prefix: String) -> LoRAReport {
    let used = Set(lora.tensors.keys.filter { $0.hasPrefix(prefix) })
    return LoRAReport(used: used, changedWeights: used.count)
}
