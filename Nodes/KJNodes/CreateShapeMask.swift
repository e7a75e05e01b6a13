import CoreNodes
import JSON
import NodeKit
import PackTools
import Tensors

/// A shape, white on black, that may grow from frame to frame (pack-nodes.md §2).
struct CreateShapeMask: Node {
    static let info = NodeInfo(
        "CreateShapeMask", displayName: "Create Shape Mask", category: "KJNodes/masking/generate")

    @Input(.choices(DrawnShape.allCases.map(\.rawValue))) var shape = "circle"
    @Input(.range(1...4096)) var frames = 1
    @Input(.range(0...4096), .tooltip("Column of the centre.")) var locationX = 256
    @Input(.range(0...4096), .tooltip("Row of the centre.")) var locationY = 256
    @Input(.range(-512...512), .tooltip("Pixels more from frame to frame.")) var grow = 0
    @Input(.range(16...4096)) var frameWidth = 512
    @Input(.range(16...4096)) var frameHeight = 512
    @Input(.range(8...4096)) var shapeWidth = 128
    @Input(.range(8...4096)) var shapeHeight = 128
    @Output("mask") var mask: Mask
    @Output("mask_inverted") var inverted: Mask

    func run(_ context: NodeContext) async throws {
        try requireInRange(frames, "frames", 1...4096)
        try requireInRange(locationX, "location_x", -65536...65536)
        try requireInRange(locationY, "location_y", -65536...65536)
        try requireInRange(grow, "grow", -4096...4096)
        try requireInRange(frameWidth, "frame_width", 1...16384)
        try requireInRange(frameHeight, "frame_height", 1...16384)
        try requireInRange(shapeWidth, "shape_width", 0...16384)
        try requireInRange(shapeHeight, "shape_height", 0...16384)
        let kind: DrawnShape = try choice(shape, "shape")
        let (width, height) = (frameWidth, frameHeight)
        let tensor = try Tensor.build([frames, height, width], of: Float.self) { out in
            for i in out.indices { out[i] = 0 }
            for frame in 0..<frames {
                func side(_ start: Int) -> Int { (start + frame * grow).clamped(to: 0...32767) }
                let size = (width: side(shapeWidth), height: side(shapeHeight))
                // A closure cannot write to the span, so the rows are collected first.
                var spans: [(row: Int, first: Int, last: Int)] = []
                kind.spans(x: locationX, y: locationY, size: size, height: height) { spans.append(($0, $1, $2)) }
                for (row, first, last) in spans {
                    let columns = max(first, 0)..<max(max(first, 0), min(last + 1, width))
                    for column in columns { out[(frame * height + row) * width + column] = 1 }
                }
            }
        }
        mask = Mask(tensor)
        inverted = Mask(try HostMath.map(tensor) { 1 - $0 })
    }
}
