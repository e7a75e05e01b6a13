import Diffusion
import Models
import NodeKit

/// A LoRA file on its way into models, and what is to be said about it afterwards.
struct LoRAApplication {
    private let name: String
    private let file: NamedTensors
    private var used: Set<String> = []
    /// Keys of parts that the user left out.
    private var ignored: Set<String> = []
    private var changedWeights = 0
    private var families: [String] = []

    init(_ name: String, _ context: NodeContext) throws {
        self.name = name
        file = try ModelLoader.lora(path: try context.files.model("loras", name))
    }

    mutating func apply(to model: DiffusionModel, strength: Double) throws -> DiffusionModel {
        let (network, outcome) = try model.network.adding(lora: file, strength: Float(strength))
        note(outcome, model.network.family)
        var changed = model
        changed.network = network
        return changed
    }

    mutating func apply(to clip: TextEncoderValue, strength: Double) throws -> TextEncoderValue {
        let (encoder, outcome) = try clip.encoder.adding(lora: file, strength: Float(strength))
        note(outcome, clip.encoder.family)
        return TextEncoderValue(encoder)
    }

    /// Keys that belong to a part with strength 0 are no surprise.
    mutating func ignoreKeys(of model: DiffusionModel) {
        ignored.formUnion((try? model.network.adding(lora: file, strength: 0))?.report.used ?? [])
    }

    mutating func ignoreKeys(of clip: TextEncoderValue) {
        ignored.formUnion((try? clip.encoder.adding(lora: file, strength: 0))?.report.used ?? [])
    }

    /// Where no text encoder is connected its keys are known by how they begin.
    mutating func ignoreTextEncoderKeys() {
        ignored.formUnion(file.tensors.keys.filter { $0.hasPrefix("lora_te") || $0.hasPrefix("text_encoder") })
    }

    /// Warns of keys that no weight answers to, and of a LoRA without effect.
    func report(_ context: NodeContext) {
        let unmatched = file.tensors.keys.filter { !used.contains($0) && !ignored.contains($0) }.sorted()
        let sample = unmatched.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
        if changedWeights == 0 {
            context.warn("LoRA \(name) changes nothing: \(reasonForNoEffect(sample))")
        } else if !unmatched.isEmpty {
            context.warn(
                "LoRA \(name): \(unmatched.count) of \(file.tensors.count) keys are not used "
                    + "(\(sample)\(unmatched.count > 3 ? ", …" : "")): nothing in \(families.joined(separator: " and ")) "
                    + "has these names and sizes")
        }
    }

    private func reasonForNoEffect(_ sample: String) -> String {
        if file.tensors.isEmpty { return "the file holds no tensors" }
        if !used.isEmpty {
            return "only \(used.count) keys without weights of their own (such as alpha) match the model"
        }
        let parts = families.joined(separator: " and ")
        if sample.isEmpty { return "all its keys are for a part that is not changed here; \(parts) has none of them" }
        let origin =
            LoRAOrigin.family(of: file).map { "it is for \($0)" } ?? "it was probably made for another model family"
        return "none of its \(file.tensors.count) keys (\(sample), …) names anything in \(parts); \(origin)"
    }

    private mutating func note(_ outcome: LoRAReport, _ family: String) {
        used.formUnion(outcome.used)
        changedWeights += outcome.changedWeights
        families.append(family)
    }
}
