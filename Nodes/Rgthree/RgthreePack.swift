public import NodeKit

private let module = "custom_nodes.rgthree-comfy"

/// Nodes of rgthree-comfy.
public let rgthreePack = NodePack(
    "rgthree-comfy",
    definitions: [
        NodeDefinition(ImageComparer.self, module: module),
        NodeDefinition(Seed.self, module: module),
        NodeDefinition(AnySwitch.self, module: module),
        NodeDefinition(DisplayAny.self, module: module),
        NodeDefinition(DisplayInt.self, module: module),
        NodeDefinition(PowerLoraLoader.self, module: module),
        NodeDefinition(LoraLoaderStack.self, module: module),
        NodeDefinition(SDXLEmptyLatentImage.self, module: module),
        NodeDefinition(ImageInsetCrop.self, module: module),
        NodeDefinition(ImageOrLatentSize.self, module: module),
        NodeDefinition(KSamplerConfig.self, module: module),
        NodeDefinition(PowerPrimitive.self, module: module),
    ] + ContextNodes.definitions(module: module))
