import CoreNodes
import JSON
import NodeKit
import PackTools

/// Up to 49 LoRA files with their strengths; the ports follow from the number, so it is defined by its parts.
enum LoRAStacker {
    private static let count = 49

    static func definition(module: String) -> NodeDefinition {
        func strength(_ name: String) -> InputSchema {
            InputSchema(
                name: name, kind: .type("FLOAT"),
                options: ["default": .double(1), "min": .double(-10), "max": .double(10), "step": .double(0.01)])
        }
        let rows = (1...count).flatMap { number in
            [
                InputSchema(name: "lora_name_\(number)", kind: .choice(.files(folder: "loras", extra: ["None"]))),
                strength("lora_wt_\(number)"), strength("model_str_\(number)"), strength("clip_str_\(number)"),
            ]
        }
        let first = [
            InputSchema(name: "input_mode", kind: .choice(.fixed(["simple", "advanced"]))),
            InputSchema(
                name: "lora_count", kind: .type("INT"),
                options: ["default": .int(3), "min": .int(0), "max": .int(Int64(count) + 1)]),
        ]
        let stack = InputSchema(
            name: "lora_stack", kind: .type(LoRAStack.socketType), isOptional: true, takesLiterals: false)
        let schema = NodeSchema(
            id: "LoRA Stacker", displayName: "LoRA Stacker", category: "Efficiency Nodes/Stackers", module: module,
            inputs: first + rows + [stack], outputs: [OutputSchema(name: "LORA_STACK", type: LoRAStack.socketType)])
        return NodeDefinition(schema: schema) { values, _ in
            let isSimple = try String.make(from: values["input_mode"] ?? [], port: "input_mode") == "simple"
            let wanted = try Int.make(from: values["lora_count"] ?? [], port: "lora_count")
            var entries: [LoRAEntry] = []
            for number in 1...count where number <= wanted {
                func value(_ name: String) throws -> Double {
                    try Double.make(from: values["\(name)_\(number)"] ?? [], port: "\(name)_\(number)")
                }
                let name = try String.make(from: values["lora_name_\(number)"] ?? [], port: "lora_name_\(number)")
                if name == "None" { continue }
                let strengths =
                    isSimple
                    ? (try value("lora_wt"), try value("lora_wt")) : (try value("model_str"), try value("clip_str"))
                entries.append(LoRAEntry(name: name, modelStrength: strengths.0, clipStrength: strengths.1))
            }
            let given = (values["lora_stack"]?.first as? LoRAStack)?.entries ?? []
            return [[LoRAStack(entries + given.filter { $0.name != "None" })]]
        }
    }
}
