public import NodeKit

/// Nodes of rgthree-comfy.
public let rgthreePack = NodePack(
    "rgthree-comfy",
    nodes: [
        ImageComparer.self,
        Seed.self,
    ])
