import JSON

/// Reading `widgets_values` (ui-format.md §3).
extension Converter {
    /// The widget values of a node by name, in the order of its widgets.
    func widgetValues(of node: GraphNode, _ shape: NodeShape?, _ scope: Scope) -> [(name: String, value: JSON)] {
        if let special = PackRules.values(of: node) { return special }
        guard let shape else { return guessedValues(of: node, scope) }
        let widgets = shape.ports.filter(\.isWidget)
        var saved = Self.positions(of: node.positionalValues, in: shape)
        if case .object(let members) = node.values {
            for (name, value) in members { saved[name] = value }
        }
        for (name, value) in node.namedValues { saved[name] = value }
        var result: [(name: String, value: JSON)] = []
        result.reserveCapacity(widgets.count)
        for port in widgets {
            if let value = saved[port.name], !value.isNull {
                result.append((port.name, value))
            } else if let value = port.defaultValue {
                result.append((port.name, value))
            } else if node.inputs.first(where: { $0.name == port.name })?.link == nil {
                note(.missingValue, node, scope, "the file has no value for \"\(port.name)\"")
            }
        }
        return result
    }

    /// Assigns saved values to the widgets of a known node type.
    static func positions(of values: [JSON], in shape: NodeShape) -> [String: JSON] {
        var result: [String: JSON] = [:]
        var cursor = WidgetCursor(values, ports: shape.ports)
        for port in shape.ports where cursor.hasValue(for: port) {
            guard let value = cursor.take(port) else { break }
            if port.isWidget { result[port.name] = value }
        }
        return result
    }

    private static func unknown(_ node: GraphNode) -> String {
        PackNames.pack(of: node.type).map { "unknown node type of the pack \($0)" } ?? "unknown node type"
    }

    /// The widget values of a node of unknown type, as far as the file names them.
    private func guessedValues(of node: GraphNode, _ scope: Scope) -> [(name: String, value: JSON)] {
        if case .object(let members) = node.values {
            // Packs that save by name keep previews and the like there too.
            let found = members.filter { entry in
                if case .object = entry.value { return false }
                return !PackRules.isFrontEndOnly(entry.key)
            }
            if !found.isEmpty {
                note(.guessed, node, scope, "\(Self.unknown(node)); its values are taken as the file names them")
            }
            return found.map { ($0.key, $0.value) }
        }
        var result: [(name: String, value: JSON)] = []
        let values = node.positionalValues
        let own = node.markedWidgets
        let names =
            GuessedWidgets.assign(values, to: own)
            ?? GuessedWidgets.assign(values, to: catalogue.learnedWidgets(node.type))
        if let names {
            result = names.filter { !PackRules.isFrontEndOnly($0.name) }
            let linked = Set(node.inputs.filter { $0.link != nil }.map(\.name))
            let used = result.map(\.name).filter { !linked.contains($0) }
            if !used.isEmpty {
                let shown = used.joined(separator: ", ")
                note(.guessed, node, scope, "\(Self.unknown(node)); its values are taken to be \(shown)")
            }
        } else if !GuessedWidgets.areBlank(values) {
            let shown = JSON.array(values).text(.compact).shortened
            note(
                .unnamedValues, node, scope,
                "\(Self.unknown(node)); the file does not name its values \(shown): left out")
            for case .string(let text) in values where ModelFileNames.isModelFile(text) {
                modelFiles.unnamed.append(
                    ModelFileHints.Mention(node: scope.promptID(node), classType: node.type, name: text))
            }
        }
        for (name, value) in node.namedValues {
            if let index = result.firstIndex(where: { $0.name == name }) {
                result[index].value = value
            } else if !PackRules.isFrontEndOnly(name) {
                result.append((name, value))
            }
        }
        return result.filter { !$0.value.isNull }
    }
}

/// Walks over saved values in step with a node's widgets.
struct WidgetCursor {
    private let values: [JSON]
    private var position = 0
    /// Whether the values hold those of forced inputs: the files of front ends before 1.16.
    private let holdsForced: Bool
    /// Whether there are enough values for every control value to be there.
    private let holdsControls: Bool

    init(_ values: [JSON], ports: [NodeShape.Port]) {
        self.values = values
        var widgets = 0
        var forced = 0
        for port in ports {
            let count =
                switch port.control {
                case .none: 1
                case .number: 2
                case .combo: 3
                }
            if port.isWidget { widgets += count }
            if port.isForced { forced += count }
        }
        holdsForced = forced > 0 && values.count == widgets + forced
        holdsControls = values.count >= widgets + (holdsForced ? forced : 0)
    }

    func hasValue(for port: NodeShape.Port) -> Bool { port.isWidget || (holdsForced && port.isForced) }

    /// The next widget's value; its control values are skipped.
    mutating func take(_ port: NodeShape.Port) -> JSON? {
        guard position < values.count else { return nil }
        let value = values[position]
        position += 1
        switch port.control {
        case .none: break
        case .number: skipControl()
        case .combo:
            if skipControl(), position < values.count, values[position].stringValue != nil || values[position].isNull {
                position += 1
            }
        }
        return value
    }

    /// Skips a control value: its word; where the number of values says that there is one, also the true or false of
    /// very old files and the null of packs that took the control away.
    @discardableResult private mutating func skipControl() -> Bool {
        guard position < values.count else { return false }
        switch values[position] {
        case .string(let word) where ControlWord.isOne(word): break
        case .bool where holdsControls, .null where holdsControls: break
        default: return false
        }
        position += 1
        return true
    }
}

/// What front ends save for "control after generate".
enum ControlWord {
    static func isOne(_ text: String) -> Bool {
        switch text {
        case "fixed", "increment", "decrement", "randomize", "increment-wrap": true
        default: false
        }
    }
}
