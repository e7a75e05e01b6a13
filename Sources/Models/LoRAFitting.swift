import Checkpoints
import Diffusion

extension WeightSource {
    /// The changes that a LoRA file makes to these weights, after a look at whether it was made for them.
    ///
    /// One or two kernels of another size among many layers that fit are left out, as for the first convolution of an
    /// inpainting network; their keys are not in the report.
    ///
    /// - Parameters:
    ///   - table: the names by which files call the weights.
    ///   - family: of the model, for messages.
    ///   - unchecked: weights whose size a LoRA may change.
    /// - Throws: ``CheckpointError`` naming the family that the file is for and the layers of other sizes.
    func fittingPatches(
        of lora: NamedTensors, _ table: [String: LoRATarget], strength: Float, family: String,
        unchecked: Set<String> = []
    ) throws -> (patches: [String: [WeightPatch]], report: LoRAReport) {
        let file = try LoRAFile(lora)
        let wrong = file.mismatches(table) { unchecked.contains($0) ? nil : shape($0) }
        guard let first = wrong.first else { return try file.patches(table, strength: strength) }
        let fitting = file.names.count { table[$0] != nil } - wrong.count
        let areKernels = wrong.allSatisfy { layer in table[layer.name].flatMap { shape($0.key) }?.count == 4 }
        if areKernels && wrong.count <= 2 && fitting >= 10 * wrong.count {
            var rest = table
            for layer in wrong { rest[layer.name] = nil }
            return try file.patches(rest, strength: strength)
        }
        var message = "the LoRA \(lora.name) does not fit the model, which is \(family): "
        let origin = LoRAOrigin.family(of: lora)
        if let origin, Self.isSame(origin, family) {
            message += "it is for \(origin) too, but for a network of another size or variant"
        } else {
            message += origin.map { "it is for \($0)" } ?? "it was made for another model"
        }
        message +=
            "; \(wrong.count) of its \(file.names.count) layers have other sizes than the model's (\"\(first.name)\" is "
            + "\(first.found), the model's \(first.expected))"
        let unknown = file.names.filter { table[$0] == nil && !Self.isOfTextEncoder($0) }
        if let name = unknown.first { message += ", \(unknown.count) name nothing in the model (\"\(name)\")" }
        throw CheckpointError(.shapeMismatch, message)
    }

    private static func isSame(_ origin: String, _ family: String) -> Bool {
        // "SD3 / SD3.5", "FLUX", "SDXL": their first word begins the names of the family's members.
        guard let word = origin.split(separator: " ").first else { return false }
        let names = family.split(separator: " ").first.map(String.init) ?? family
        return names == word || names.hasPrefix(word + ".")
    }

    private static func isOfTextEncoder(_ name: String) -> Bool {
        name.hasPrefix("lora_te") || name.hasPrefix("text_encoder")
    }
}
