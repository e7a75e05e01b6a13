import Checkpoints
import Diffusion
import Tensors

/// LoRA files for FLUX whose names are not a prefix before a layer's name: brought into the native style of
/// ``FluxLoRA`` (families-flux.md §8).
struct FluxLoRADialects {
    /// The tensors under names of the native style.
    let file: NamedTensors
    /// Whether the file is one of Black Forest Labs' control LoRAs, which also widen `img_in`.
    let isControl: Bool
    /// The file's own key for every key that was renamed.
    private let originals: [String: String]

    init(_ lora: NamedTensors) {
        let keys = lora.tensors
        isControl = keys["img_in.lora_A.weight"] != nil && keys["single_blocks.0.norm.key_norm.scale"] != nil
        let isSubjectDriven =
            keys["single_blocks.37.processor.qkv_lora.up.weight"] != nil
            && keys["double_blocks.18.processor.qkv_lora2.up.weight"] != nil
        guard isControl || isSubjectDriven else {
            (file, originals) = (lora, [:])
            return
        }
        let rename = isControl ? Self.controlName : Self.subjectDrivenName
        var tensors: [String: Tensor] = [:]
        var originals: [String: String] = [:]
        for (key, tensor) in lora.tensors {
            let name = rename(key) ?? key
            tensors[name] = tensor
            originals[name] = key
        }
        file = NamedTensors(name: lora.name, tensors: tensors)
        self.originals = originals
    }

    /// The report in terms of the file's own keys.
    func restored(_ report: LoRAReport) -> LoRAReport {
        LoRAReport(used: Set(report.used.map { originals[$0] ?? $0 }), changedWeights: report.changedWeights)
    }

    /// Native names without prefix; the bias of the upper factor is added to the layer's, norm scales take their place.
    private static func controlName(_ key: String) -> String? {
        if key.hasSuffix(".lora_B.bias") { return "diffusion_model." + key.dropLast(".lora_B.bias".count) + ".diff_b" }
        if key.hasSuffix("_norm.scale") { return "diffusion_model." + key + ".set_weight" }
        return "diffusion_model." + key
    }

    private static let subjectDrivenLayers = [
        "qkv_lora1": "img_attn.qkv", "qkv_lora2": "txt_attn.qkv", "proj_lora1": "img_attn.proj",
        "proj_lora2": "txt_attn.proj", "qkv_lora": "linear1_qkv", "proj_lora": "linear2",
    ]
    private static let halves = ["down": "lora_down", "up": "lora_up"]

    /// USO (Wu et al. 2025): `double_blocks.0.processor.qkv_lora1.down.weight`.
    private static func subjectDrivenName(_ key: String) -> String? {
        let parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[2] == "processor", let layer = subjectDrivenLayers[parts[3]],
            let half = halves[parts[4]]
        else { return nil }
        return "diffusion_model.\(parts[0]).\(parts[1]).\(layer).\(half).\(parts[5])"
    }
}

extension FluxLoRADialects {
    /// The weights with `img_in` as wide as a control LoRA needs it: the new columns are zeros.
    ///
    /// - Throws: ``Checkpoints/CheckpointError`` when the factors are for a network of another width.
    func widened(_ source: WeightSource, family: String) throws(CheckpointError) -> WeightSource {
        guard isControl, let down = file.tensors["diffusion_model.img_in.lora_A.weight"],
            let up = file.tensors["diffusion_model.img_in.lora_B.weight"], let shape = source.shape("img_in.weight"),
            down.shape.rank == 2, up.shape.rank == 2
        else { return source }
        let (rows, columns) = (shape[0], down.shape[1])
        guard up.shape[0] == rows, shape.count == 2 else {
            throw CheckpointError(
                .shapeMismatch,
                "the control LoRA \(file.name) does not fit the model \(source.name), which is \(family): it is for FLUX "
                    + "too, but for a network of another size (\"img_in\" is \(up.shape[0]) × \(columns), the model's "
                    + "\(shape.map(String.init).joined(separator: " × ")))")
        }
        if columns <= shape[1] { return source }
        do {
            return try source.rebuilt("img_in.weight") { matrix in
                try HostMath.concatenate([matrix, .zeros([rows, columns - shape[1]])], axis: 1)
            }
        } catch let error as CheckpointError { throw error } catch {
            throw CheckpointError(.shapeMismatch, "\(source.name): \"img_in.weight\": \(error)")
        }
    }
}
