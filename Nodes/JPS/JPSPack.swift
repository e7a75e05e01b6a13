public import NodeKit

/// Nodes of ComfyUI_JPS-Nodes.
public let jpsPack = NodePack("ComfyUI_JPS-Nodes", nodes: [TextConcatenate.self, SDXLResolutions.self])
