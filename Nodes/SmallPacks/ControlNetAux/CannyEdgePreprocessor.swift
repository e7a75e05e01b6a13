import CoreNodes
import JSON
public import NodeKit
import PackTools
import Tensors

/// Nodes of comfyui_controlnet_aux that need no model.
public let controlNetAuxPack = NodePack("comfyui_controlnet_aux", nodes: [CannyEdgePreprocessor.self])

/// The edges of a picture, white on black, for ControlNets; the picture's shorter side becomes `resolution`.
struct CannyEdgePreprocessor: Node {
    static let info = NodeInfo(
        "CannyEdgePreprocessor", displayName: "Canny Edge", category: "ControlNet Preprocessors/Line Extractors")

    @Input var image: Image
    @Input(.optional, .range(0...255)) var lowThreshold = 100
    @Input(.optional, .range(0...255)) var highThreshold = 200
    @Input(.optional, .range(64...16384), .step(64)) var resolution = 512
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        try requireInRange(lowThreshold, "low_threshold", 0...1 << 20)
        try requireInRange(highThreshold, "high_threshold", 0...1 << 20)
        try requireInRange(resolution, "resolution", 1...16384)
        let size = try image.size()
        let factor = Double(resolution) / Double(min(size.width, size.height))
        let target = PictureSize(
            width: (Double(size.width) * factor).roundedInt, height: (Double(size.height) * factor).roundedInt)
        try requireInRange(target.width, "resolution (width)", 1...65536)
        try requireInRange(target.height, "resolution (height)", 1...65536)
        var pictures: [Tensor] = []
        for item in 0..<image.batch {
            try context.checkCancellation()
            let resized = try Pixels(image.tensor, item: item)
                .resized(width: target.width, height: target.height, isShrinking: factor <= 1)
            // The pack pads to multiples of 64, and cuts the padding off again.
            let padded = resized.padded(toMultipleOf: 64)
            let edges = CannyEdges.find(padded, low: lowThreshold, high: highThreshold)
            pictures.append(
                try Tensor.build([1, target.height, target.width, 3], of: Float.self) { out in
                    for y in 0..<target.height {
                        for x in 0..<target.width {
                            let value: Float = edges[y * padded.width + x] == 0 ? 0 : 1
                            for colour in 0..<3 { out[(y * target.width + x) * 3 + colour] = value }
                        }
                    }
                })
        }
        result = Image(try HostMath.concatenate(pictures, axis: 0))
    }
}
