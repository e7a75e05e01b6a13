public import Checkpoints
public import Diffusion

/// SD1.x, SD2.x, SDXL and its refiner (families-unet-sampling.md).
public enum UNetFamily: ModelFamily {
    public static let name = "SD1.x, SD2.x, SDXL"

    public static var textEncoderLoaders: String {
        "CLIPLoader with type stable_diffusion (SD1.x, SD2.x) or DualCLIPLoader with type sdxl (SDXL)"
    }

    public static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource? {
        if UNetConfiguration.recognises(source) { return source }
        return UNetDiffusersKeys.recognises(source) ? try UNetDiffusersKeys.native(source) : nil
    }

    public static func network(_ source: WeightSource) throws(CheckpointError) -> any DiffusionNetwork {
        try UNetNetwork(source)
    }

    public static func textEncoder(_ parts: TextEncoderParts) throws -> (any TextEncoder)? {
        try CLIPTextEncoder.make(parts)
    }
}

/// ControlNets for UNets, in cldm and diffusers layout.
public enum UNetControlFamily: ControlFamily {
    public static let name = "UNet ControlNet (SD1.x, SD2.x, SDXL)"

    public static func recognises(_ source: WeightSource) -> Bool { UNetControlNetwork.recognises(source) }

    public static func network(_ source: WeightSource) throws(CheckpointError) -> any ControlNetwork {
        try UNetControlNetwork(source)
    }
}

/// T2I-adapters for SD1.x and SDXL.
public enum UNetAdapterFamily: ControlFamily {
    public static let name = "T2I-adapter (SD1.x, SDXL)"

    public static func recognises(_ source: WeightSource) -> Bool { UNetAdapter.recognises(source) }

    public static func network(_ source: WeightSource) throws(CheckpointError) -> any ControlNetwork {
        try UNetAdapter(source)
    }
}
