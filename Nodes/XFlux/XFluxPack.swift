public import NodeKit

/// Nodes of x-flux-comfyui, on our own sampler steps, LoRA patches and ControlNets.
public let xFluxPack = NodePack(
    "x-flux-comfyui",
    nodes: [
        XLabsSampler.self,
        FluxLoraLoader.self,
        LoadFluxControlNet.self,
        ApplyFluxControlNet.self,
        ApplyAdvancedFluxControlNet.self,
    ])
