import CoreNodes
public import NodeKit

/// Nodes of ComfyUI-LogicUtils.
public let logicUtilsPack = NodePack("ComfyUI-LogicUtils", nodes: [LogicUtilReplaceString.self])

/// Every match of a regular expression replaced, in Python's syntax; made after the pack's published description.
struct LogicUtilReplaceString: Node {
    static let info = NodeInfo(
        "LogicUtil_ReplaceString", displayName: "Replace String", category: "Logic Gates")

    @Input(.named("String")) var text = ""
    @Input(.named("Regex")) var pattern = ""
    @Input(.named("ReplaceWith")) var replacement = ""
    @Output("STRING") var result: String

    func run(_ context: NodeContext) async throws {
        result = try PythonPattern(pattern).replacing(
            in: text, with: PythonReplacement(replacement), check: context.checkCancellation)
    }
}
