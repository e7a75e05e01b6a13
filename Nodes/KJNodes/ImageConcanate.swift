import CoreNodes
import NodeKit

/// Two pictures side by side (pack-nodes.md §2).
struct ImageConcanate: Node {
    static let info = NodeInfo("ImageConcanate", displayName: "Image Concatenate", category: "KJNodes/image")

    @Input var image1: Image
    @Input var image2: Image
    @Input(.choices(ConcatenationSide.allCases.map(\.rawValue))) var direction = "right"
    @Input var matchImageSize = true
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        result = Image(
            try concatenated(
                image1.tensor, image2.tensor, choice(direction, "direction"), matchingSize: matchImageSize))
    }
}
