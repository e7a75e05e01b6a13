public import NodeKit

private let module = "custom_nodes.efficiency-nodes-comfyui"

/// Nodes of efficiency-nodes-comfyui that need no model.
public let efficiencyPack = NodePack(
    "efficiency-nodes-comfyui",
    definitions: [NodeDefinition(EvaluateIntegers.self, module: module), LoRAStacker.definition(module: module)])
