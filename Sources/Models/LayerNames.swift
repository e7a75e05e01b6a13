import Checkpoints
import Tensors

/// Another layout of a family's files, as tables from its layer names to ours. Used to rename files and to find the
/// weights that LoRA files mean.
struct LayerNames: Sendable {
    struct Target: Sendable {
        var name: String
        /// First row in units of the width, for a layer that is one width high and part of a higher one of ours.
        var part: Int?
        /// Whether a layer two widths high has its halves (shift and scale) in the other order.
        var swapsPair: Bool

        init(_ name: String, part: Int? = nil, swapsPair: Bool = false) {
            self.name = name
            self.part = part
            self.swapsPair = swapsPair
        }
    }

    /// Blocks: what their names begin with there and here, and their layers.
    struct Blocks: Sendable {
        var theirs: String
        var ours: String
        var layers: [String: Target]
    }

    /// Layers outside blocks.
    var outer: [String: Target]
    var blocks: [Blocks]
    /// Parameters that are no part of a layer.
    var parameters: [String: String] = [:]

    /// The target of a layer's name, with the prefix of its block.
    func find(_ layer: String) -> (prefix: String, target: Target)? {
        if let target = outer[layer] { return ("", target) }
        for group in blocks where layer.hasPrefix(group.theirs) {
            let rest = layer.dropFirst(group.theirs.count)
            let index = rest.prefix { $0 != "." }
            guard Int(index) != nil, let target = group.layers[String(rest.dropFirst(index.count + 1))] else {
                return nil
            }
            return (group.ours + index + ".", target)
        }
        return nil
    }

    /// A source of this layout under our names. Keys that the tables do not know keep theirs.
    func native(_ source: WeightSource, width: Int) throws(CheckpointError) -> WeightSource {
        try source.renamed { key, tensor in
            let rows = tensor.shape.rank == 0 ? 1 : tensor.shape[0]
            if let name = parameters[key] { return [(name, 0..<rows, 0..<rows)] }
            guard let dot = key.lastIndex(of: "."), let (prefix, target) = find(String(key[..<dot])) else {
                return [(key, 0..<rows, 0..<rows)]
            }
            let name = prefix + target.name + key[dot...]
            if let part = target.part { return [(name, part * width..<part * width + rows, 0..<rows)] }
            if target.swapsPair && rows == 2 * width {
                return [(name, 0..<width, width..<rows), (name, width..<rows, 0..<width)]
            }
            return [(name, 0..<rows, 0..<rows)]
        }
    }

    /// Every layer of `source` (under our names) by its name in this layout, for LoRA files.
    func targets(_ source: WeightSource, width: Int) -> [String: LoRATarget] {
        var result: [String: LoRATarget] = [:]
        func add(_ name: String, _ prefix: String, _ target: Target) {
            let key = prefix + target.name + ".weight"
            guard let shape = source.shape(key), shape.count >= 2 else { return }
            result[name] = LoRATarget(
                key, rows: target.part.map { $0 * width..<($0 + 1) * width },
                swapsHalves: target.swapsPair && shape[0] == 2 * width)
        }
        for (name, target) in outer { add(name, "", target) }
        for group in blocks {
            for index in 0..<source.count(group.ours) {
                for (name, target) in group.layers {
                    add("\(group.theirs)\(index).\(name)", "\(group.ours)\(index).", target)
                }
            }
        }
        return result
    }

    /// The names by which LoRA files call the weights of `source`: our own after `diffusion_model.` and, with
    /// underscores, after `lora_unet_` (kohya); this layout's after the prefixes given.
    ///
    /// - Parameters:
    ///   - dotted: prefixes of names with dots (PEFT).
    ///   - underscored: prefixes of names with underscores (OneTrainer, LyCORIS).
    func loraTable(
        _ source: WeightSource, width: Int, dotted: [String], underscored: [String]
    ) -> [String: LoRATarget] {
        var table: [String: LoRATarget] = [:]
        for key in source.keys where key.hasSuffix(".weight") {
            let layer = String(key.dropLast(".weight".count))
            table["diffusion_model." + layer] = LoRATarget(key)
            table["lora_unet_" + Self.flat(layer)] = LoRATarget(key)
        }
        for (layer, target) in targets(source, width: width) {
            for prefix in dotted { table[prefix + layer] = target }
            for prefix in underscored { table[prefix + Self.flat(layer)] = target }
        }
        return table
    }

    private static func flat(_ name: String) -> String { String(name.map { $0 == "." ? "_" : $0 }) }
}
