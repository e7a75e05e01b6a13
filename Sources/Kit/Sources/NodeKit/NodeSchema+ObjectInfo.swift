public import JSON

extension NodeSchema {
    /// The entry of `/object_info` (server-api.md §6).
    ///
    /// - Parameter choices: reads the present entries of a combo.
    public func objectInfo(choices: (Choices) -> [String]) -> JSON {
        var groups = JSONObject()
        var order = JSONObject()
        for (group, members) in [
            ("required", inputs.filter { !$0.isOptional && !$0.isHidden }),
            ("optional", inputs.filter { $0.isOptional && !$0.isHidden }),
        ] {
            // The reference always has the required group, the others only when they are not empty.
            if members.isEmpty && group != "required" { continue }
            var specs = JSONObject()
            for input in members { specs[input.name] = input.specification(choices: choices) }
            groups[group] = .object(specs)
            order[group] = .array(members.map { .string($0.name) })
        }
        let offered = inputs.filter(\.isHidden)
        if !hidden.isEmpty || !offered.isEmpty {
            var specs = JSONObject()
            for input in hidden { specs[input.name] = .string(input.rawValue) }
            for input in offered { specs[input.name] = input.specification(choices: choices) }
            groups["hidden"] = .object(specs)
            order["hidden"] = .array(specs.keys.map { .string($0) })
        }
        var entry: JSONObject = [
            "input": .object(groups),
            "input_order": .object(order),
            "output": .array(outputs.map { .string($0.type) }),
            "output_is_list": .array(outputs.map { .bool($0.isList) }),
            "output_name": .array(outputs.map { .string($0.name) }),
            "name": .string(id),
            "display_name": style == .v3 && displayName == id ? .null : .string(displayName),
            "description": .string(description),
            "python_module": .string(module),
            "category": .string(category),
            "output_node": .bool(isOutput),
        ]
        if style == .v3 {
            entry["deprecated"] = .bool(false)
            entry["experimental"] = .bool(false)
        }
        return .object(entry)
    }
}

extension InputSchema {
    /// `[type, options]`; a combo's type is the list of its choices.
    public func specification(choices: (Choices) -> [String]) -> JSON {
        let type: JSON =
            switch kind {
            case .type(let name): .string(name)
            case .choice(let list): .array(choices(list).map { .string($0) })
            }
        return .array(options.isEmpty ? [type] : [type, .object(options)])
    }
}
