public import NodeKit

/// Nodes of ComfyUI-KJNodes.
public let kjNodesPack = NodePack("ComfyUI-KJNodes", nodes: [])
