import Engine

/// What an installation lacks for a workflow, for people: each thing once, with what to do about it.
enum MissingText {
    /// Longer lists end in a number.
    private static let limit = 100

    static func lines(_ missing: MissingParts) -> [String] {
        let needed = missing.nodeTypes.filter(\.isNeeded)
        var lines: [String] = []
        if !needed.isEmpty {
            lines.append("missing node types:")
            lines += limited(needed.map { "  \(printable($0.classType)): \(origin($0)) (\(nodes($0.nodes)))" })
        }
        if !missing.files.isEmpty {
            lines.append("missing files:")
            lines += limited(missing.files.map(file))
        }
        let unneeded = missing.nodeTypes.filter { !$0.isNeeded }
        if !unneeded.isEmpty {
            lines.append("node types that are not known, but that nothing needs:")
            lines += limited(unneeded.map { "  \(printable($0.classType)): \(origin($0)) (\(nodes($0.nodes)))" })
        }
        return lines
    }

    private static func origin(_ type: MissingParts.NodeType) -> String {
        if let pack = type.pack { return "of the pack \(pack) (https://github.com/\(pack))" }
        return type.isReference ? "one of ComfyUI's own that this program does not have yet" : "of an unknown pack"
    }

    private static func file(_ file: MissingParts.File) -> String {
        var text = "  \(printable(file.name)): "
        if file.folder == "input" {
            text += "into the folder of input pictures"
        } else if !file.paths.isEmpty {
            text += "into " + file.paths.map(printable).joined(separator: " or ")
        } else if let folder = file.folder {
            text += "into the folder \"\(printable(folder))\" of the models"
        } else {
            text += "a model file; where it belongs the pack of the node says"
        }
        if file.isGuess && file.folder != nil { text += ", by its name" }
        let input = file.input.map { ".\(printable($0))" } ?? ""
        text += " (\(printable(file.classType))\(input), \(nodes(file.nodes)))"
        if let url = file.url { text += "\n    the workflow says it comes from \(printable(url))" }
        return text
    }

    private static func nodes(_ ids: [String]) -> String {
        let shown = ids.prefix(8).map(printable).joined(separator: ", ")
        return (ids.count == 1 ? "node " : "nodes ") + shown + (ids.count > 8 ? ", … \(ids.count) in all" : "")
    }

    private static func limited(_ lines: [String]) -> [String] {
        lines.count <= limit ? lines : lines.prefix(limit) + ["  … and \(lines.count - limit) more"]
    }
}
