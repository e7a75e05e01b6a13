import CoreNodes
import JSON
public import NodeKit

/// Nodes of comfy-image-saver that need no files.
public let comfyImageSaverPack = NodePack(
    "comfy-image-saver", nodes: [SamplerSelector.self, SchedulerSelector.self, StringLiteral.self])

/// Nodes of ComfyUI-Image-Saver that need no files.
public let imageSaverPack = NodePack(
    "ComfyUI-Image-Saver", nodes: [ImageSaverSamplerSelector.self, ImageSaverSchedulerSelector.self])

/// A sampler's name, for combos.
struct SamplerSelector: Node {
    static let info = NodeInfo("Sampler Selector", category: "ImageSaverTools/utils")

    @Input(samplerChoices) var samplerName: String
    @Output("sampler_name", type: "*") var result: String

    func run(_ context: NodeContext) async throws { result = samplerName }
}

/// A scheduler's name, for combos.
struct SchedulerSelector: Node {
    static let info = NodeInfo("Scheduler Selector", category: "ImageSaverTools/utils")

    @Input(schedulerChoices) var scheduler: String
    @Output("scheduler", type: "*") var result: String

    func run(_ context: NodeContext) async throws { result = scheduler }
}

/// A text.
struct StringLiteral: Node {
    static let info = NodeInfo("String Literal", category: "ImageSaverTools/utils")

    @Input(.multiline) var string = ""
    @Output("STRING") var result: String

    func run(_ context: NodeContext) async throws { result = string }
}

/// A sampler's name, for combos and as a text.
struct ImageSaverSamplerSelector: Node {
    static let info = NodeInfo("Sampler Selector (Image Saver)", category: "ImageSaver/utils")

    @Input(samplerChoices) var samplerName: String
    @Output("sampler", type: "COMBO") var sampler: String
    @Output("sampler_name") var name: String

    func run(_ context: NodeContext) async throws { (sampler, name) = (samplerName, samplerName) }
}

/// A scheduler's name, for combos and as a text.
struct ImageSaverSchedulerSelector: Node {
    static let info = NodeInfo("Scheduler Selector (Image Saver)", category: "ImageSaver/utils")

    @Input(schedulerChoices) var scheduler: String
    @Output("scheduler", type: "COMBO") var result: String
    @Output("scheduler_name") var name: String

    func run(_ context: NodeContext) async throws { (result, name) = (scheduler, scheduler) }
}
