import Images
import JSON

/// `%date:FORMAT%` and `%Node.widget%` in file names and primitives (ui-format.md §3).
extension Converter {
    /// Replaces what the browser replaces; everything else between percent signs is left to the node.
    func replacingPlaceholders(in text: String, _ scope: Scope) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let parts = text.split(separator: "%", omittingEmptySubsequences: false).map(String.init)
        var out = parts[0]
        var index = 1
        while index < parts.count {
            if index + 1 < parts.count, !parts[index].isEmpty {
                out += placeholder(parts[index], scope) ?? "%\(parts[index])%"
                out += parts[index + 1]
                index += 2
            } else {
                out += "%" + parts[index]
                index += 1
            }
        }
        return out
    }

    private func placeholder(_ name: String, _ scope: Scope) -> String? {
        if name.hasPrefix("date:") { return (options.date ?? .now).text(String(name.dropFirst("date:".count))) }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { return nil }
        for scope in [scope, scopes[0]] {
            guard let index = scope.nodesBySearchName[parts[0]] ?? scope.nodesByTitle[parts[0]] else { continue }
            return savedValue(parts[1], of: scope.graph.nodes[index]).map(Self.fileNameText)
        }
        return nil
    }

    /// The value of one widget as saved.
    private func savedValue(_ name: String, of node: GraphNode) -> JSON? {
        if let value = node.namedValues[name] ?? node.values[name] { return value }
        if let shape = catalogue.shape(node.type) {
            return Self.positions(of: node.positionalValues, in: shape)[name] ?? shape.port(name)?.defaultValue
        }
        if VirtualNode(node.type) == .primitive, name == "value" { return node.positionalValues.first }
        return GuessedWidgets.assign(node.positionalValues, to: node.markedWidgets)?.first { $0.name == name }?.value
    }

    /// A value as JavaScript spells it, without what file names may not hold.
    private static func fileNameText(_ value: JSON) -> String {
        let text: String =
            switch value {
            case .string(let text): text
            case .null: ""
            default: value.intValue.map(String.init) ?? value.text(.compact)
            }
        var out = ""
        for scalar in text.unicodeScalars {
            let isForbidden =
                scalar.value < 0x20 || scalar.value == 0x7F || "/?<>\\:*|\"".unicodeScalars.contains(scalar)
            out.unicodeScalars.append(isForbidden ? "_" : scalar)
        }
        return out
    }
}
