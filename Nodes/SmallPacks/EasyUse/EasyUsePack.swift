public import NodeKit

/// Nodes of ComfyUI-Easy-Use that need no model.
public let easyUsePack = NodePack(
    "ComfyUI-Easy-Use",
    nodes: [
        EasyInt.self,
        EasyFloat.self,
        EasyPrompt.self,
        EasyPositive.self,
        EasyNegative.self,
        EasyTextSwitch.self,
        EasyImageSize.self,
        EasyCleanGPUUsed.self,
        EasyAnythingIndexSwitch.self,
        EasyImageBatchToImageList.self,
    ])
