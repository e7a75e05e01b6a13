import JSON

/// Node types whose packs rewrite their values in the browser (ui-format.md §3 and §11, pack-nodes.md §3).
enum PackRules {
    /// The values of a node that is read by its own rule; `nil` for all others.
    static func values(of node: GraphNode) -> [(name: String, value: JSON)]? {
        switch node.type {
        case "Seed (rgthree)":
            guard let seed = node.namedValues["seed"] ?? node.positionalValues.first, !seed.isNull else { return nil }
            return [("seed", seed)]
        case "Power Lora Loader (rgthree)": return loraRows(node)
        case "Image Comparer (rgthree)": return []
        default: return nil
        }
    }

    /// Whether an input exists in browsers only.
    static func isFrontEndOnly(_ name: String) -> Bool {
        switch name {
        case "upload", "choose file to upload", "is_changed", "rgthree_comparer", "control_after_generate",
            "control_before_generate", "videopreview":
            true
        default: false
        }
    }

    /// Whether a seed stands for one that the browser draws when it queues the prompt.
    static func isDrawnSeed(_ value: JSON, of node: GraphNode, input: String) -> Bool {
        guard node.type == "Seed (rgthree)", input == "seed", let number = value.intValue else { return false }
        return (-3 ... -1).contains(number)
    }

    /// Old prefixes of sampler names.
    static func samplerName(_ name: String) -> String {
        name.hasPrefix("sample_") ? String(name.dropFirst("sample_".count)) : name
    }

    /// The rows of a Power Lora Loader are the objects that name a LoRA, wherever they stand among layout values.
    private static func loraRows(_ node: GraphNode) -> [(name: String, value: JSON)] {
        let isSeparate = node.properties["Show Strengths"] == .string("Separate Model & Clip")
        var rows: [(name: String, value: JSON)] = []
        for case .object(var row) in node.positionalValues where row["lora"] != nil {
            if !isSeparate { row["strengthTwo"] = nil }
            rows.append(("lora_\(rows.count + 1)", .object(row)))
        }
        return rows
    }
}
