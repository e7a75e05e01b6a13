public import NodeKit

/// Nodes of ComfyUI_essentials.
public let essentialsPack = NodePack(
    "ComfyUI_essentials",
    nodes: [
        EssentialsGetImageSize.self,
        EssentialsImageCrop.self,
        EssentialsImageResize.self,
        EssentialsImageFlip.self,
        EssentialsImageDesaturate.self,
        EssentialsImagePosterize.self,
        EssentialsImageComposite.self,
        EssentialsImageCompositeFromMaskBatch.self,
        EssentialsMaskPreview.self,
        EssentialsMaskBlur.self,
        EssentialsMaskFlip.self,
        EssentialsSimpleMath.self,
        EssentialsConsoleDebug.self,
    ])
