import Diffusion
import JSON
import NodeKit

/// The value that the number 1 or 2 chooses; both are computed (pack-nodes.md §4).
///
/// - Throws: ``NodeError`` when the chosen one is not connected; the pack passes "nothing" on, at which every node after
///   it fails.
private func chosen<Value>(_ number: Int, _ first: Value?, _ second: Value?, _ name: String) throws -> Value {
    guard let value = number == 1 ? first : second else {
        throw NodeError("input \"\(name)\(number == 1 ? 1 : 2)\" is chosen, but nothing is connected to it")
    }
    return value
}

struct CRTextInputSwitch: Node {
    static let info = NodeInfo(
        "CR Text Input Switch", displayName: "🔀 CR Text Input Switch",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔀 Logic")

    @Input(.named("Input"), .range(1...2)) var number = 1
    @Input(.forceInput) var text1: String?
    @Input(.forceInput) var text2: String?
    @Output("STRING") var result: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        (result, help) = (try chosen(number, text1, text2, "text"), helpText)
    }
}

struct CRImageInputSwitch: Node {
    static let info = NodeInfo(
        "CR Image Input Switch", displayName: "🔀 CR Image Input Switch",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔀 Logic")

    @Input(.named("Input"), .range(1...2)) var number = 1
    @Input var image1: Image?
    @Input var image2: Image?
    @Output("IMAGE") var result: Image
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        (result, help) = (try chosen(number, image1, image2, "image"), helpText)
    }
}

struct CRLatentInputSwitch: Node {
    static let info = NodeInfo(
        "CR Latent Input Switch", displayName: "🔀 CR Latent Input Switch",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔀 Logic")

    @Input(.named("Input"), .range(1...2)) var number = 1
    @Input var latent1: Latent?
    @Input var latent2: Latent?
    @Output("LATENT") var result: Latent
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        (result, help) = (try chosen(number, latent1, latent2, "latent"), helpText)
    }
}

struct CRConditioningInputSwitch: Node {
    static let info = NodeInfo(
        "CR Conditioning Input Switch", displayName: "🔀 CR Conditioning Input Switch",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔀 Logic")

    @Input(.named("Input"), .range(1...2)) var number = 1
    @Input var conditioning1: ConditioningValue?
    @Input var conditioning2: ConditioningValue?
    @Output("CONDITIONING") var result: ConditioningValue
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        (result, help) = (try chosen(number, conditioning1, conditioning2, "conditioning"), helpText)
    }
}

struct CRClipInputSwitch: Node {
    static let info = NodeInfo(
        "CR Clip Input Switch", displayName: "🔀 CR Clip Input Switch",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔀 Logic")

    @Input(.named("Input"), .range(1...2)) var number = 1
    @Input var clip1: TextEncoderValue?
    @Input var clip2: TextEncoderValue?
    @Output("CLIP") var result: TextEncoderValue
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        (result, help) = (try chosen(number, clip1, clip2, "clip"), helpText)
    }
}

struct CRModelInputSwitch: Node {
    static let info = NodeInfo(
        "CR Model Input Switch", displayName: "🔀 CR Model Input Switch",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔀 Logic")

    @Input(.named("Input"), .range(1...2)) var number = 1
    @Input var model1: DiffusionModel?
    @Input var model2: DiffusionModel?
    @Output("MODEL") var result: DiffusionModel
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        (result, help) = (try chosen(number, model1, model2, "model"), helpText)
    }
}

struct CRControlNetInputSwitch: Node {
    static let info = NodeInfo(
        "CR ControlNet Input Switch", displayName: "🔀 CR ControlNet Input Switch",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔀 Logic")

    @Input(.named("Input"), .range(1...2)) var number = 1
    @Input(.named("control_net1")) var controlNet1: ControlNet?
    @Input(.named("control_net2")) var controlNet2: ControlNet?
    @Output("CONTROL_NET") var result: ControlNet
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        (result, help) = (try chosen(number, controlNet1, controlNet2, "control_net"), helpText)
    }
}

struct CRVAEInputSwitch: Node {
    static let info = NodeInfo(
        "CR VAE Input Switch", displayName: "🔀 CR VAE Input Switch",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔀 Logic")

    @Input(.named("Input"), .range(1...2)) var number = 1
    @Input(.named("VAE1")) var vae1: AutoencoderValue?
    @Input(.named("VAE2")) var vae2: AutoencoderValue?
    @Output("VAE") var result: AutoencoderValue
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        (result, help) = (try chosen(number, vae1, vae2, "VAE"), helpText)
    }
}
