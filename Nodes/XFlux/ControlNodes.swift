import Diffusion
import JSON
import Models
import NodeKit
import Tensors

/// FluxControlNet of the pack: one of our ControlNets.
struct XLabsControlNet: NodeValue {
    static let socketType = "FluxControlNet"
    var control: ControlNet
}

/// ControlNetCondition of the pack: ControlNets with their pictures.
struct XLabsControlCondition: NodeValue {
    static let socketType = "ControlNetCondition"

    struct Entry: Sendable {
        var control: ControlNet
        /// `[batch, height, width, channels]`, 0…1.
        var image: Tensor
        var strength: Double
        /// In fractions of the steps.
        var start: Double
        var end: Double

        /// Whether the ControlNet takes part in a step.
        func isActive(in step: Int, of steps: Int) -> Bool {
            Double(step) >= start * Double(steps) && Double(step) <= end * Double(steps)
        }
    }
    var entries: [Entry]
    var exportedTensors: [(suffix: String, tensor: Tensor)] {
        entries.enumerated().map { (".\($0)", $1.image) }
    }
}

/// A ControlNet for FLUX. Its file must be of a kind that the core's loader knows.
struct LoadFluxControlNet: Node {
    static let info = NodeInfo(
        "LoadFluxControlNet", displayName: "Load Flux ControlNet", category: "XLabsNodes", work: .loading)

    @Input(.choices(["flux-dev", "flux-dev-fp8", "flux-schnell"])) var modelName: String
    @Input(.files("xlabs/controlnets")) var controlnetPath: String
    @Output("ControlNet") var result: XLabsControlNet

    func run(_ context: NodeContext) async throws {
        let path = try context.files.model("xlabs/controlnets", controlnetPath)
        let network = try ModelLoader.controlNetwork(path: path, warn: context.warn)
        guard !network.needsAutoencoder else {
            throw NodeError(
                "\(controlnetPath) (\(network.family)) encodes its picture with a VAE, which this node has no input for; "
                    + "use ControlNetLoader and ControlNetApplyAdvanced with a VAE")
        }
        result = XLabsControlNet(control: ControlNet(network: network))
    }
}

/// Adds a ControlNet with its picture to a condition.
struct ApplyFluxControlNet: Node {
    static let info = NodeInfo("ApplyFluxControlNet", displayName: "Apply Flux ControlNet", category: "XLabsNodes")

    @Input var controlnet: XLabsControlNet
    @Input var image: Image
    @Input(.range(0.0...100.0), .step(0.01)) var strength = 1.0
    @Input var controlnetCondition: XLabsControlCondition?
    @Output("controlnet_condition") var result: XLabsControlCondition

    func run(_ context: NodeContext) async throws {
        result = XLabsControlCondition(
            entries: (controlnetCondition?.entries ?? []) + [
                .init(control: controlnet.control, image: image.tensor, strength: strength, start: 0, end: 1)
            ])
    }
}

/// The same for a part of the steps.
struct ApplyAdvancedFluxControlNet: Node {
    static let info = NodeInfo(
        "ApplyAdvancedFluxControlNet", displayName: "Apply Advanced Flux ControlNet", category: "XLabsNodes")

    @Input var controlnet: XLabsControlNet
    @Input var image: Image
    @Input(.range(0.0...100.0), .step(0.01)) var strength = 1.0
    @Input(.range(0.0...1.0), .step(0.01)) var start = 0.0
    @Input(.range(0.0...1.0), .step(0.01)) var end = 1.0
    @Input var controlnetCondition: XLabsControlCondition?
    @Output("controlnet_condition") var result: XLabsControlCondition

    func run(_ context: NodeContext) async throws {
        result = XLabsControlCondition(
            entries: (controlnetCondition?.entries ?? []) + [
                .init(control: controlnet.control, image: image.tensor, strength: strength, start: start, end: end)
            ])
    }
}
