import Diffusion
import NodeKit

/// Chooses the mode of a union ControlNet (families-flux.md §7.2).
struct SetUnionControlNetType: Node {
    static let info = NodeInfo("SetUnionControlNetType", category: "conditioning/controlnet")

    /// In the order of their numbers, which select a row of the file's mode table.
    private static let types = [
        "openpose", "depth", "hed/pidi/scribble/ted", "canny/lineart/anime_lineart/mlsd", "normal", "segment", "tile",
        "repaint",
    ]

    @Input var controlNet: ControlNet
    @Input(.choices(["auto"] + types)) var type: String
    @Output var result: ControlNet

    func run(_ context: NodeContext) async throws {
        result = controlNet
        result.unionType = Self.types.firstIndex(of: type)
    }
}
