public import NodeKit

/// The nodes that belong to the reference itself.
public let corePack = NodePack(
    "core", module: "nodes",
    nodes: [
        CLIPTextEncode.self,
        CLIPTextEncodeFlux.self,
        FluxGuidance.self,
        ConditioningZeroOut.self,
        EmptyLatentImage.self,
        EmptySD3LatentImage.self,
        VAEEncode.self,
        VAEDecode.self,
        SetLatentNoiseMask.self,
        ControlNetApplyAdvanced.self,
        SetUnionControlNetType.self,
        PrimitiveInt.self,
        PrimitiveFloat.self,
        PrimitiveString.self,
        PrimitiveStringMultiline.self,
        PrimitiveBoolean.self,
        StringConcatenate.self,
    ])
