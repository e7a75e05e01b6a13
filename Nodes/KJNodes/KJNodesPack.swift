public import NodeKit

/// Nodes of ComfyUI-KJNodes. SetNode and GetNode never run: they are resolved when a workflow is converted.
public let kjNodesPack = NodePack(
    "ComfyUI-KJNodes",
    nodes: [
        INTConstant.self,
        FloatConstant.self,
        StringConstant.self,
        StringConstantMultiline.self,
        GetImageSizeAndCount.self,
        ImageResizeKJ.self,
        ImageConcanate.self,
        ImageConcatMulti.self,
        ImageBatchMulti.self,
        ColorMatch.self,
        GrowMaskWithBlur.self,
        ResizeMask.self,
        RemapMaskRange.self,
        CreateShapeMask.self,
        ImageAndMaskPreview.self,
        WidgetToString.self,
    ])
