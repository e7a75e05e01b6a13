import CoreNodes
import JSON
public import NodeKit
import PackTools
import Tensors

/// Nodes of Comfyui_Object_Migration.
public let objectMigrationPack = NodePack(
    "Comfyui_Object_Migration", nodes: [TextMix.self, ExpandAndMask.self])

/// Texts put into a template (pack-nodes.md §10).
struct TextMix: Node {
    static let info = NodeInfo("TTP_text_mix", displayName: "TTP_text_mix", category: "TTP/text")

    @Input(.multiline) var text1 = ""
    @Input(.multiline) var text2 = ""
    @Input(.multiline) var text3 = ""
    @Input(.multiline, .tooltip("{text1}, {text2} and {text3} are replaced.")) var template = ""
    @Output("text1") var first: String
    @Output("text2") var second: String
    @Output("text3") var third: String
    @Output("final_text") var result: String

    func run(_ context: NodeContext) async throws {
        (first, second, third) = (text1, text2, text3)
        var text = template
        for (name, value) in [("{text1}", text1), ("{text2}", text2), ("{text3}", text3)] {
            text = LiteralReplacement.replacing(name, in: text, with: value)
            guard text.utf8.count <= 1 << 26 else {
                throw NodeError("the final text is longer than 64 MiB; use shorter texts")
            }
        }
        result = text
    }
}

/// A picture with copies of itself, or white blocks, on its sides, and the mask of them (pack-nodes.md §10).
struct ExpandAndMask: Node {
    static let info = NodeInfo("TTP_Expand_And_Mask", displayName: "TTP_Expand_And_Mask", category: "TTP/Mask")

    @Input var image: Image
    @Input(.choices(["duplicate", "white"])) var fillMode: String
    @Input(.tooltip("Put transparent pictures on white.")) var fillAlphaDecision = false
    @Input var expandLeft = false
    @Input var expandRight = false
    @Input var expandTop = false
    @Input var expandBottom = false
    @Input(.range(0...3)) var numBlocksLeft = 1
    @Input(.range(0...3)) var numBlocksRight = 1
    @Input(.range(0...3)) var numBlocksTop = 1
    @Input(.range(0...3)) var numBlocksBottom = 1
    @Output("EXPANDED_IMAGE") var result: Image
    /// `[1, 1, height, width]`: the pack gives its mask a channel.
    @Output("MASK") var mask: Mask

    func run(_ context: NodeContext) async throws {
        let size = try image.size()
        func blocks(_ count: Int, _ isWanted: Bool, _ name: String) throws -> Int {
            try requireInRange(count, name, 0...16)
            return isWanted ? count : 0
        }
        let (left, right) = (
            try blocks(numBlocksLeft, expandLeft, "num_blocks_left"),
            try blocks(numBlocksRight, expandRight, "num_blocks_right")
        )
        let (top, bottom) = (
            try blocks(numBlocksTop, expandTop, "num_blocks_top"),
            try blocks(numBlocksBottom, expandBottom, "num_blocks_bottom")
        )
        let isCopied = fillMode == "duplicate"
        let rows = Self.positions(size.height, top, bottom)
        let columns = Self.positions(size.width, left, right)
        func kept(_ positions: [(index: Int, isOwn: Bool)]) -> [Int?] {
            positions.map { isCopied || $0.isOwn ? $0.index : nil }
        }
        let first = try bytes(image.tensor.slice(axis: 0, 0..<1).asFloat32())
        let expanded = try Remapping.apply(first, rows: kept(rows), columns: kept(columns), fill: [1])
        let isTransparent = first.shape[3] == 4
        let alpha = isTransparent ? try first.slice(axis: 3, 3..<4).asFloat32() : nil
        let holes = try alpha.map { try HostMath.map($0) { 1 - $0 } } ?? Tensor.zeros([1, size.height, size.width, 1])
        let border = try Remapping.apply(
            holes, rows: rows.map { $0.isOwn ? $0.index : nil }, columns: columns.map { $0.isOwn ? $0.index : nil },
            fill: [1])
        mask = Mask(try border.reshaped([1, 1, rows.count, columns.count]))
        result = Image(isTransparent && fillAlphaDecision ? try flattened(expanded) : expanded)
    }

    /// Through bytes, as the pack works on pictures of 8 bits.
    private func bytes(_ pixels: Tensor) throws -> Tensor {
        try HostMath.map(pixels) { value in
            let scaled = value * 255
            return (scaled > 0 ? min(scaled, 255).rounded(.down) : 0) / 255
        }
    }

    /// Where every position of a side with copies comes from.
    private static func positions(_ length: Int, _ before: Int, _ after: Int) -> [(index: Int, isOwn: Bool)] {
        (-before * length..<(1 + after) * length).map { position in
            (((position % length) + length) % length, (0..<length).contains(position))
        }
    }

    private func flattened(_ pixels: Tensor) throws -> Tensor {
        try pixels.withElements(of: Float.self) { source in
            try Tensor.build(pixels.shape.replacing(3, with: 3), of: Float.self) { out in
                for pixel in 0..<source.count / 4 {
                    let alpha = source[pixel * 4 + 3]
                    for channel in 0..<3 {
                        out[pixel * 3 + channel] = source[pixel * 4 + channel] * alpha + (1 - alpha)
                    }
                }
            }
        }
    }
}
