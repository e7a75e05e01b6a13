import JSON
public import NodeKit

/// Nodes of ComfyUI-mxToolkit.
public let mxToolkitPack = NodePack("ComfyUI-mxToolkit", nodes: [MxSlider.self])

/// A number set with a slider: whole or not.
struct MxSlider: Node {
    static let info = NodeInfo("mxSlider", category: "utils/mxToolkit")

    @Input(.named("Xi")) var whole = 20
    @Input(.named("Xf")) var number = 20.0
    @Input(.named("isfloatX"), .tooltip("0: the whole number.")) var isFloat = 0
    @Output("X", type: "*") var result: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        result = isFloat > 0 ? AnyNodeValue(number) : AnyNodeValue(whole)
    }
}
