public import NodeKit

/// Nodes of ComfyUI-Impact-Pack that need no model.
public let impactPack = NodePack(
    "ComfyUI-Impact-Pack",
    nodes: [
        ImpactSwitch.self,
        ImpactNeg.self,
        ImpactConvertDataType.self,
        ImpactMakeImageBatch.self,
        ToBinaryMask.self,
    ])
