import Checkpoints

/// The names by which LoRA files call the weights of a UNet (families-unet-sampling.md §15): one table of the original
/// names (kohya, LyCORIS, `diffusion_model.`) and one of the diffusers names.
enum UNetLoRA {
    /// From every known name to the weight it means.
    static func table(_ source: WeightSource, _ shape: UNetEncoderShape) -> [String: LoRATarget] {
        let layers = source.keys.filter { $0.hasSuffix(".weight") }.map { String($0.dropLast(".weight".count)) }
        var table: [String: LoRATarget] = [:]
        for layer in layers {
            let target = LoRATarget(layer + ".weight")
            table["lora_unet_" + underscored(layer)] = target
            table["lycoris_unet_" + underscored(layer)] = target
            table["diffusion_model." + layer] = target
        }
        for (layer, name) in diffusersNames(layers, shape) {
            let target = LoRATarget(layer + ".weight")
            table["lora_unet_" + underscored(name)] = target
            table["lycoris_" + underscored(name)] = target
            for prefix in ["", "unet."] {
                table[prefix + name] = target
                var processor = name.replacing(".to_", with: ".processor.to_")
                if processor.hasSuffix(".to_out.0") { processor = String(processor.dropLast(2)) }
                table[prefix + processor] = target
            }
        }
        return table
    }

    /// The diffusers names of layers.
    private static func diffusersNames(_ layers: [String], _ shape: UNetEncoderShape) -> [(layer: String, name: String)]
    {
        let known = Set(layers)
        let keys = UNetDiffusersKeys(levels: shape.levels, residuals: shape.residualsPerLevel) { block in
            known.contains("output_blocks.\(block).1.proj_in")
        }
        // A label embedding has two names in diffusers; both point to it.
        var modules: [String: [String]] = [:]
        for (diffusers, original) in keys.modules { modules[original, default: []].append(diffusers) }
        let residual = Dictionary(uniqueKeysWithValues: UNetDiffusersKeys.residual.map { ($1, $0) })
        var names: [(layer: String, name: String)] = []
        for layer in layers {
            let parts = layer.split(separator: ".")
            for length in stride(from: min(parts.count, 4), through: 2, by: -1) {
                guard let found = modules[parts[..<length].joined(separator: ".")] else { continue }
                let rest = parts[length...].joined(separator: ".")
                for module in found {
                    let inner = module.contains("resnets.") ? residual[rest] ?? rest : rest
                    names.append((layer, inner.isEmpty ? module : module + "." + inner))
                }
                break
            }
        }
        return names
    }

    private static func underscored(_ name: String) -> String { String(name.map { $0 == "." ? "_" : $0 }) }
}
