import ArgumentParser
import Engine
import JSON
import NodeKit
import Workflow

/// Lists node types.
struct NodesShowCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Lists the node types, or describes one.")

    @Argument(help: ArgumentHelp("A node type (class_type).", valueName: "type")) var name: String?
    @Flag(help: "Print schemas as ComfyUI's /object_info does.") var json = false
    @OptionGroup var folders: FolderOptions
    @OptionGroup var libraries: NodeOptions

    func execute(_ program: Program) async throws -> ProgramStatus {
        let registry = program.registry(libraries)
        let files = try folders.folders()
        var definitions = registry.definitions
        if let name {
            guard let definition = registry[name] else {
                let hint = NearestName.hint(name, among: definitions.map(\.schema.id))
                let pack = PackNames.pack(of: name).map { "; it belongs to the pack \($0)" } ?? ""
                throw ProgramError(.usage, "there is no node type \"\(printable(name))\"\(hint)\(pack)")
            }
            definitions = [definition]
        }
        if json {
            program.console.print(objectInfo(definitions, files).text(.pretty))
        } else if name != nil {
            for definition in definitions {
                program.console.print(describe(definition.schema, registry, files).joined(separator: "\n"))
            }
        } else {
            for definition in definitions.sorted(by: { $0.schema.id < $1.schema.id }) {
                let schema = definition.schema
                program.console.print("\(schema.id)\t\(schema.category)\t\(registry.pack(of: schema.id) ?? "")")
            }
        }
        return .done
    }

    private func objectInfo(_ definitions: [NodeDefinition], _ files: any NodeFiles) -> JSON {
        var lists: [Choices: [String]] = [:]
        var entries = JSONObject()
        for definition in definitions {
            entries[definition.schema.id] = definition.schema.objectInfo { choices in
                if let known = lists[choices] { return known }
                let names = choices.names(in: files)
                lists[choices] = names
                return names
            }
        }
        return .object(entries)
    }

    private func describe(_ schema: NodeSchema, _ registry: NodeRegistry, _ files: any NodeFiles) -> [String] {
        var lines = ["\(schema.id) – \(schema.displayName)"]
        if !schema.description.isEmpty { lines.append(schema.description) }
        lines.append("category: \(schema.category); pack: \(registry.pack(of: schema.id) ?? "")")
        if schema.isOutput { lines.append("an output node: runs even if nothing uses its outputs") }
        lines.append("inputs:" + (schema.inputs.isEmpty ? " none" : ""))
        for input in schema.inputs { lines.append("  " + describe(input, files)) }
        lines.append("outputs:" + (schema.outputs.isEmpty ? " none" : ""))
        for (slot, output) in schema.outputs.enumerated() {
            lines.append("  \(slot) \(output.name): \(output.type)\(output.isList ? ", a list" : "")")
        }
        return lines
    }

    private func describe(_ input: InputSchema, _ files: any NodeFiles) -> String {
        var parts = ["\(input.name): "]
        switch input.kind {
        case .type(let type): parts[0] += type
        case .choice(let choices):
            let names = choices.names(in: files)
            let shown = names.prefix(12).joined(separator: ", ")
            parts[0] += "one of \(names.isEmpty ? "(none found)" : shown)\(names.count > 12 ? ", …" : "")"
        }
        if input.isList { parts.append("a list") }
        if let value = input.options["default"] { parts.append("default \(value.text())") }
        if let low = input.options["min"] { parts.append("at least \(low.text())") }
        if let high = input.options["max"] { parts.append("at most \(high.text())") }
        if input.isOptional { parts.append("optional") }
        return parts.joined(separator: ", ")
    }
}
