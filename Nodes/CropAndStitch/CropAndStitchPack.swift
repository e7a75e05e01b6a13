public import NodeKit

/// Nodes of ComfyUI-Inpaint-CropAndStitch.
public let cropAndStitchPack = NodePack(
    "ComfyUI-Inpaint-CropAndStitch",
    nodes: [InpaintCropImproved.self, InpaintStitchImproved.self, InpaintCrop.self, InpaintStitch.self])
