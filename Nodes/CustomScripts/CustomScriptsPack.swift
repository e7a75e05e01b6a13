public import NodeKit

/// Nodes of ComfyUI-Custom-Scripts.
public let customScriptsPack = NodePack(
    "ComfyUI-Custom-Scripts",
    nodes: [
        ShowText.self,
        StringFunction.self,
        MathExpression.self,
        PlaySound.self,
        ReroutePrimitive.self,
        Repeater.self,
        LoraLoaderWithPictures.self,
        CheckpointLoaderWithPictures.self,
    ])
