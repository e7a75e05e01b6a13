import Diffusion
public import NodeKit

/// Nodes of ComfyUI-Crystools: switches of which only the chosen side is computed (pack-nodes.md §10).
public let crystoolsPack = NodePack(
    "ComfyUI-Crystools",
    nodes: [
        CrystoolsSwitchAny.self,
        CrystoolsSwitchImage.self,
        CrystoolsSwitchMask.self,
        CrystoolsSwitchLatent.self,
        CrystoolsSwitchConditioning.self,
    ])

/// The value on the chosen side.
private func chosen<Value>(_ boolean: Bool, _ onTrue: Value?, _ onFalse: Value?) throws -> Value {
    guard let value = boolean ? onTrue : onFalse else {
        throw NodeError("input \"on_\(boolean)\" is chosen, but nothing is connected to it")
    }
    return value
}

struct CrystoolsSwitchAny: LazyNode {
    static let info = NodeInfo(
        "Switch any [Crystools]", displayName: "🪛 Switch any", category: "crystools 🪛/Switch")

    @Input(.lazy, .optional) var onTrue: AnyNodeValue?
    @Input(.lazy, .optional) var onFalse: AnyNodeValue?
    @Input var boolean = true
    @Output("*", type: "*") var result: AnyNodeValue

    func neededInputs(_ context: NodeContext) async throws -> [String] { ["on_\(boolean)"] }
    func run(_ context: NodeContext) async throws { result = try chosen(boolean, onTrue, onFalse) }
}

struct CrystoolsSwitchImage: LazyNode {
    static let info = NodeInfo(
        "Switch image [Crystools]", displayName: "🪛 Switch image", category: "crystools 🪛/Switch")

    @Input(.lazy, .optional) var onTrue: Image?
    @Input(.lazy, .optional) var onFalse: Image?
    @Input var boolean = true
    @Output("image") var result: Image

    func neededInputs(_ context: NodeContext) async throws -> [String] { ["on_\(boolean)"] }
    func run(_ context: NodeContext) async throws { result = try chosen(boolean, onTrue, onFalse) }
}

struct CrystoolsSwitchMask: LazyNode {
    static let info = NodeInfo(
        "Switch mask [Crystools]", displayName: "🪛 Switch mask", category: "crystools 🪛/Switch")

    @Input(.lazy, .optional) var onTrue: Mask?
    @Input(.lazy, .optional) var onFalse: Mask?
    @Input var boolean = true
    @Output("mask") var result: Mask

    func neededInputs(_ context: NodeContext) async throws -> [String] { ["on_\(boolean)"] }
    func run(_ context: NodeContext) async throws { result = try chosen(boolean, onTrue, onFalse) }
}

struct CrystoolsSwitchLatent: LazyNode {
    static let info = NodeInfo(
        "Switch latent [Crystools]", displayName: "🪛 Switch latent", category: "crystools 🪛/Switch")

    @Input(.lazy, .optional) var onTrue: Latent?
    @Input(.lazy, .optional) var onFalse: Latent?
    @Input var boolean = true
    @Output("latent") var result: Latent

    func neededInputs(_ context: NodeContext) async throws -> [String] { ["on_\(boolean)"] }
    func run(_ context: NodeContext) async throws { result = try chosen(boolean, onTrue, onFalse) }
}

struct CrystoolsSwitchConditioning: LazyNode {
    static let info = NodeInfo(
        "Switch conditioning [Crystools]", displayName: "🪛 Switch conditioning", category: "crystools 🪛/Switch")

    @Input(.lazy, .optional) var onTrue: ConditioningValue?
    @Input(.lazy, .optional) var onFalse: ConditioningValue?
    @Input var boolean = true
    @Output("conditioning") var result: ConditioningValue

    func neededInputs(_ context: NodeContext) async throws -> [String] { ["on_\(boolean)"] }
    func run(_ context: NodeContext) async throws { result = try chosen(boolean, onTrue, onFalse) }
}
