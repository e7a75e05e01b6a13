public import NodeKit

/// Nodes of ComfyUI_ExtraModels that need no model of their own.
public let extraModelsPack = NodePack(
    "ComfyUI_ExtraModels", nodes: [OverrideCLIPDevice.self, OverrideVAEDevice.self])

/// Asks for a device for the text encoder. There is one backend here, so it only passes the encoder on.
struct OverrideCLIPDevice: Node {
    static let info = NodeInfo("OverrideCLIPDevice", displayName: "Force/Set CLIP Device", category: "ExtraModels/T5")

    @Input var clip: TextEncoderValue
    // A combo of the devices of the machine that made the file.
    @Input(.type("STRING")) var device: String
    @Output var result: TextEncoderValue

    func run(_ context: NodeContext) async throws { result = clip }
}

/// Asks for a device for the VAE. There is one backend here, so it only passes the VAE on.
struct OverrideVAEDevice: Node {
    static let info = NodeInfo("OverrideVAEDevice", displayName: "Force/Set VAE Device", category: "ExtraModels/T5")

    @Input var vae: AutoencoderValue
    @Input(.type("STRING")) var device: String
    @Output var result: AutoencoderValue

    func run(_ context: NodeContext) async throws { result = vae }
}
