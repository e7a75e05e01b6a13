public import NodeKit

/// Nodes of ComfyUI-KJNodes. SetNode and GetNode never run: they are resolved when a workflow is converted.
public let kjNodesPack = NodePack(
    "ComfyUI-KJNodes",
    nodes: [
        GrowMaskWithBlur.self
    ])
