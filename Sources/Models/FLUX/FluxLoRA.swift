import Checkpoints

/// The names by which LoRA files call the weights of a FLUX transformer (families-flux.md §8).
enum FluxLoRA {
    /// From every known name to the weight it means.
    static func table(_ source: WeightSource, _ c: FluxConfiguration) -> [String: LoRATarget] {
        var table: [String: LoRATarget] = [:]
        for key in source.keys where key.hasSuffix(".weight") {
            let layer = String(key.dropLast(".weight".count))
            let target = LoRATarget(key)
            table["diffusion_model." + layer] = target
            table["lora_unet_" + underscored(layer)] = target
            if layer.hasSuffix(".linear1") {
                // USO-style files train the q, k, v part alone.
                table["diffusion_model." + layer + "_qkv"] = LoRATarget(key, rows: 0..<3 * c.width)
            }
        }
        // Control LoRAs replace norm scales, which are parameters without a layer.
        for key in source.keys where key.hasSuffix("_norm.scale") { table["diffusion_model." + key] = LoRATarget(key) }
        for (layer, target) in diffusersLayers(c) where source.contains(target.key) {
            table["transformer." + layer] = target
            table["lycoris_" + underscored(layer)] = target
            table["lora_transformer_" + underscored(layer)] = target
        }
        return table
    }

    private static func underscored(_ name: String) -> String { String(name.map { $0 == "." ? "_" : $0 }) }

    /// Every diffusers layer name of a transformer of this size.
    private static func diffusersLayers(_ c: FluxConfiguration) -> [String: LoRATarget] {
        var layers: [String: LoRATarget] = [:]
        func add(_ name: String, _ prefix: String, _ target: FluxDiffusersKeys.Target) {
            if target.isParameter { return }
            let rows = target.part.map { $0.start * c.width..<($0.start + $0.count) * c.width }
            layers[name] = LoRATarget(
                prefix + target.name + ".weight", rows: rows, swapsHalves: target.swapsHalves)
        }
        for (name, target) in FluxDiffusersKeys.outer { add(name, "", target) }
        for block in 0..<c.doubleBlocks {
            for (name, target) in FluxDiffusersKeys.double {
                add("transformer_blocks.\(block).\(name)", "double_blocks.\(block).", target)
            }
        }
        for block in 0..<c.singleBlocks {
            for (name, target) in FluxDiffusersKeys.single {
                add("single_transformer_blocks.\(block).\(name)", "single_blocks.\(block).", target)
            }
        }
        return layers
    }
}
