extension RunPlan {
    /// The plan as a graph in the language of graphviz: nodes coloured by their share of the time.
    public var dot: String {
        var out =
            "digraph plan {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n"
        let longest = nodes.map(\.seconds).max() ?? 0
        var names: [String: String] = [:]
        for (index, node) in nodes.enumerated() { names[node.id] = "n\(index)" }
        for node in nodes {
            var lines = [node.title]
            if node.classType != node.title { lines.append(node.classType) }
            if node.isCached {
                lines.append("cached")
            } else if node.isSkipped {
                lines.append("not needed")
            } else {
                lines.append(Self.text(seconds: node.seconds))
            }
            // Hue 0.6 (blue) for quick nodes, 0.0 (red) for the longest.
            let share = longest > 0 ? node.seconds / longest : 0
            let isIdle = node.isCached || node.isSkipped
            let colour = isIdle ? "#eeeeee" : "\(Self.tenths(0.6 * (1 - share))) 0.25 1.0"
            let label = lines.map(Self.quoted).joined(separator: "\\n")
            out += "  \(names[node.id] ?? "n") [label=\"\(label)\", fillcolor=\"\(colour)\"];\n"
        }
        for node in nodes {
            for source in node.sources {
                guard let from = names[source], let to = names[node.id] else { continue }
                out += "  \(from) -> \(to);\n"
            }
        }
        return out + "}\n"
    }

    /// "2 min 5 s"
    public static func text(seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "very long" }
        if seconds < 0.0995 { return "\(Int((seconds * 1000).rounded())) ms" }
        if seconds < 60 { return "\(tenths(seconds)) s" }
        let whole = Int(seconds.rounded())
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// A text of a workflow inside quotation marks: shortened, without what would end them.
    private static func quoted(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars.prefix(60) {
            switch scalar {
            case "\"", "\\": out += "\\" + String(scalar)
            case _ where scalar.properties.generalCategory == .control: out += " "
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
