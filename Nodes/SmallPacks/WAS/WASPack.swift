public import NodeKit

/// Nodes of was-node-suite-comfyui that need no model.
public let wasPack = NodePack(
    "was-node-suite-comfyui",
    nodes: [
        WASTextConcatenate.self,
        WASTextFindAndReplace.self,
        WASTextMultiline.self,
        WASConstantNumber.self,
        WASSeed.self,
        WASImageBlank.self,
    ])
