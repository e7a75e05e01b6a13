public import CoreNodes
public import NodeKit

/// LORA_STACK: LoRA files with their strengths, as the nodes of Comfyroll and Efficiency exchange them.
public struct LoRAStack: NodeValue {
    public static let socketType = "LORA_STACK"
    public var entries: [LoRAEntry]
    public init(_ entries: [LoRAEntry]) { self.entries = entries }
}
