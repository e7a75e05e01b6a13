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
            for input in members { specs[input.name] = input.specification(style: style, choices: choices) }
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
            "display_name": style == .v3 && displayName == id && !hasDisplayName ? .null : .string(displayName),
            "description": .string(description),
            "python_module": .string(module),
            "category": .string(category),
            "output_node": .bool(isOutput),
        ]
        // Newer nodes always say both, older ones only what is true.
        if style == .v3 || isDeprecated { entry["deprecated"] = .bool(isDeprecated) }
        if style == .v3 || isExperimental { entry["experimental"] = .bool(isExperimental) }
        return .object(entry)
    }
}

extension InputSchema {
    /// `[type, options]`. A combo's type is the list of its choices; in newer nodes it is "COMBO", the choices stand among
    /// the options, and options are always there.
    public func specification(style: SchemaStyle = .classic, choices: (Choices) -> [String]) -> JSON {
        var options = options
        let type: JSON
        switch kind {
        case .type(let name): type = .string(name)
        case .choice(let list):
            let names = JSON.array(choices(list).map { .string($0) })
            if style == .v3 {
                type = .string("COMBO")
                options["multiselect"] = .bool(false)
                options["options"] = names
            } else {
                type = names
            }
        }
        return .array(options.isEmpty && style == .classic ? [type] : [type, .object(options)])
    }
}
