import JSON
import NodeKit
import Workflow

/// The checks of one constant against its declaration (engine-semantics.md §3.2 step 3).
struct InputCheck {
    let lists: ChoiceLists
    let files: any NodeFiles

    /// The largest list of choices that is spelled out in an error.
    private static let spelledOut = 20

    /// The constant as the node will get it.
    ///
    /// - Parameter leavesRangesToNode: whether the node checks ranges and choices itself.
    func convert(
        _ literal: JSON, for input: InputSchema, leavesRangesToNode: Bool = false
    ) throws(PromptFault) -> JSON {
        var value = literal
        switch input.kind {
        case .type(let type):
            guard input.takesLiterals else { throw needsLink(value, input, type) }
            do throws(LiteralFault) {
                value = try convertLiteral(value, to: type)
            } catch {
                throw conversionFault(value, input, type, error.message)
            }
            if !leavesRangesToNode { try checkRange(value, input) }
            try checkPrefix(value, input)
            return value
        case .choice(let choices):
            return leavesRangesToNode ? value : try checkChoice(value, choices, input)
        }
    }

    private func checkRange(_ value: JSON, _ input: InputSchema) throws(PromptFault) {
        let range = input.rangeText
        if let limit = input.options["min"], isSmaller(value, limit) {
            throw PromptFault(
                .tooSmall, "Value \(pythonText(value)) smaller than min of \(pythonText(limit))", details: input.name,
                extraInfo: info(input, received: value), input: input.name, found: pythonText(value), allowed: range)
        }
        if let limit = input.options["max"], isSmaller(limit, value) {
            throw PromptFault(
                .tooBig, "Value \(pythonText(value)) bigger than max of \(pythonText(limit))", details: input.name,
                extraInfo: info(input, received: value), input: input.name, found: pythonText(value), allowed: range)
        }
    }

    private func checkChoice(_ value: JSON, _ choices: Choices, _ input: InputSchema) throws(PromptFault) -> JSON {
        if case .inputImages = choices { return try checkPicture(value, input) }
        let list = lists.list(choices)
        if let name = value.stringValue {
            if list.members.contains(name) {
                try checkFile(name, choices, input)
                return value
            }
            // Files saved on Windows spell folders with backslashes.
            if case .files = choices {
                let name =
                    name.utf8.count > FileName.maximumLength ? name : String(name.map { $0 == "\\" ? "/" : $0 })
                if list.members.contains(name) {
                    try checkFile(name, choices, input)
                    return .string(name)
                }
            }
        }
        let isLong = list.names.count > Self.spelledOut
        let listed =
            isLong ? "(list of length \(list.names.count))" : pythonText(.array(list.names.map { .string($0) }))
        let shown: String =
            if case .string(let text) = value { "'\(shortened(text))'" } else {
                shortened("'" + pythonText(value) + "'")
            }
        var extra = info(input, received: value)
        if isLong { extra["input_config"] = .null }
        throw PromptFault(
            .notInList, "Value not in list", details: "\(input.name): \(shown) not in \(listed)", extraInfo: extra,
            input: input.name, found: shortened(pythonText(value)), allowed: allowed(choices, list.names),
            nearest: value.stringValue.flatMap { NearestName.find($0, among: list.names) })
    }

    /// Refuses files that are listed but may not be opened: links that lead out of the models folders.
    private func checkFile(_ name: String, _ choices: Choices, _ input: InputSchema) throws(PromptFault) {
        guard case .files(let folder, let extra) = choices, !extra.contains(name),
            FileSet.named(name, in: folder)?.fileNames(files) == nil
        else { return }
        do {
            _ = try files.model(folder, name)
        } catch {
            let reason = String(describing: error)
            throw PromptFault(
                .customValidation, "Custom validation failed for node", details: "\(input.name) - \(reason)",
                extraInfo: ["input_name": .string(input.name)], input: input.name, found: shortened(name),
                allowed: reason)
        }
    }

    /// Refuses prefixes of file names that lead out of the output folder: before the run, not at its end.
    private func checkPrefix(_ value: JSON, _ input: InputSchema) throws(PromptFault) {
        guard input.name == "filename_prefix", let text = value.stringValue else { return }
        var depth = 0
        var leaves = text.utf8.first == UInt8(ascii: "/") || text.utf8.contains(0)
        // No path is longer, and a text of 50 MB is not to be taken apart.
        if text.utf8.count > FileName.maximumLength { leaves = true }
        for part in text.prefix(FileName.maximumLength).pathParts() where part != "." {
            depth += part == ".." ? -1 : 1
            if depth < 0 { leaves = true }
        }
        guard leaves else { return }
        throw PromptFault(
            .customValidation, "Custom validation failed for node",
            details: "\(input.name) - the prefix leads out of the output folder or is too long",
            extraInfo: ["input_name": .string(input.name)], input: input.name, found: shortened(pythonText(value)),
            allowed: "a name, or a path below the output folder")
    }

    /// What a person may choose from.
    private func allowed(_ choices: Choices, _ names: [String]) -> String {
        let shown = names.prefix(Self.spelledOut).map { "\"\($0)\"" }.joined(separator: ", ")
        let rest = names.count > Self.spelledOut ? ", … (\(names.count) in all)" : ""
        guard case .files(let folder, let extra) = choices else { return "one of " + shown + rest }
        let folders = files.modelFolders(folder).joined(separator: " or ")
        let place = folders.isEmpty ? "the folder \"\(folder)\" of the models" : folders
        guard names.count > extra.count else {
            let others = extra.map { "\"\($0)\"" }.joined(separator: ", ")
            return "a file in \(place), which has none" + (others.isEmpty ? "" : ", or " + others)
        }
        return "a file in \(place): " + shown + rest
    }

    /// Pictures are looked up rather than listed: names may have a subfolder and an annotation ("x.png [output]").
    private func checkPicture(_ value: JSON, _ input: InputSchema) throws(PromptFault) -> JSON {
        var reason = "expected the name of a picture"
        if let name = value.stringValue {
            do {
                _ = try files.input(name)
                return value
            } catch {
                reason = String(describing: error)
            }
        }
        let shown = shortened(value.stringValue ?? pythonText(value))
        throw PromptFault(
            .customValidation, "Custom validation failed for node",
            details: "\(input.name) - Invalid image file: \(shown)",
            extraInfo: ["input_name": .string(input.name)], input: input.name, found: shortened(pythonText(value)),
            allowed: reason, nearest: value.stringValue.flatMap { NearestName.find($0, among: files.inputNames()) })
    }

    // MARK: Faults

    private func conversionFault(
        _ value: JSON, _ input: InputSchema, _ type: String, _ reason: String
    ) -> PromptFault {
        var extra = info(input, received: value)
        extra["exception_message"] = .string(reason)
        let shown = shortened(pythonText(value))
        return PromptFault(
            .invalidInputType, "Failed to convert an input value to a \(type) value",
            details: "\(input.name), \(shown), \(reason)", extraInfo: extra, input: input.name, found: shown,
            allowed: [type, input.rangeText].compactMap { $0 }.joined(separator: ", "))
    }

    private func needsLink(_ value: JSON, _ input: InputSchema, _ type: String) -> PromptFault {
        var fault = conversionFault(value, input, type, "a constant where a link is needed")
        fault.allowed = "a link to an output of type \(type)"
        return fault
    }

    func badLink(
        _ received: JSON, _ input: InputSchema, found: String? = nil, allowed: String? = nil, nearest: String? = nil
    ) -> PromptFault {
        PromptFault(
            .badLink, "Bad linked input, must be a length-2 list of [node_id, slot_index]", details: input.name,
            extraInfo: info(input, received: received), input: input.name,
            found: found ?? shortened(pythonText(received)),
            allowed: allowed ?? "a link [node id, output number], or {\"__value__\": […]} for a list of values",
            nearest: nearest)
    }

    /// The parts of `extra_info` that most errors share.
    func info(_ input: InputSchema, received: JSON) -> JSONObject {
        [
            "input_name": .string(input.name), "input_config": configuration(input), "received_value": received,
        ]
    }

    /// `[type, options]`.
    func configuration(_ input: InputSchema) -> JSON {
        guard case .array(let parts) = input.specification(choices: { lists.list($0).names }), let type = parts.first
        else { return .null }
        return .array([type, parts.count > 1 ? parts[1] : .object([:])])
    }
}

extension InputSchema {
    /// "1 … 10000", for people.
    var rangeText: String? {
        switch (options["min"], options["max"]) {
        case (let low?, let high?): "\(pythonText(low)) … \(pythonText(high))"
        case (let low?, nil): "\(pythonText(low)) or more"
        case (nil, let high?): "\(pythonText(high)) or less"
        case (nil, nil): nil
        }
    }

    /// The type as it is compared with that of a link; combos are of type COMBO.
    var linkType: String {
        switch kind {
        case .type(let type): type
        case .choice: "COMBO"
        }
    }
}
