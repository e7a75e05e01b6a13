import JSON
import NodeKit

/// Width and height by name: "portrait - 896x1152 (3:4)".
struct SDXLResolutions: Node {
    static let info = NodeInfo("SDXL Resolutions (JPS)", category: "JPS Nodes/Settings")

    // A combo in the pack; any name that holds a size is understood.
    @Input(.type("STRING")) var resolution = "square - 1024x1024 (1:1)"
    @Output("width") var width: Int
    @Output("height") var height: Int

    func run(_ context: NodeContext) async throws {
        for word in resolution.split(separator: " ") {
            let sides = word.split(separator: "x").map { Int($0) }
            if sides.count == 2, let wide = sides[0], let high = sides[1], wide > 0, high > 0 {
                (width, height) = (wide, high)
                return
            }
        }
        throw NodeError("input \"resolution\": \"\(resolution.prefix(80))\" names no size like 896x1152")
    }
}
