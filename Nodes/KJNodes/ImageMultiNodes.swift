import CoreNodes
import Images
import JSON
import NodeKit
import PackTools
import Tensors

/// The first `count` of the pictures image_1, image_2, …; the declared ones come first.
private func pictures(
    _ count: Int, _ declared: [Image?], _ more: [String: any NodeValue]
) throws -> [Image?] {
    try requireInRange(count, "inputcount", 1...1000)
    let further = try numbered(more, "image_", as: Image.self)
    return (1...count).map { number in
        declared.indices.contains(number - 1)
            ? declared[number - 1] : further.first { $0.number == number }?.value
    }
}

/// Several pictures side by side (pack-nodes.md §2).
struct ImageConcatMulti: Node {
    static let info = NodeInfo("ImageConcatMulti", displayName: "Image Concatenate Multi", category: "KJNodes/image")

    @Input(.range(2...1000)) var inputcount = 2
    @Input(.named("image_1")) var image1: Image
    @Input(.named("image_2")) var image2: Image?
    @Input(.choices(ConcatenationSide.allCases.map(\.rawValue))) var direction = "right"
    @Input var matchImageSize = false
    @UndeclaredInputs var more
    @Output("images") var result: Image

    func run(_ context: NodeContext) async throws {
        let side: ConcatenationSide = try choice(direction, "direction")
        var sum = image1.tensor
        for (index, picture) in try pictures(inputcount, [image1, image2], more).enumerated().dropFirst() {
            guard let picture else { throw NodeError("input \"image_\(index + 1)\": nothing is connected") }
            sum = try concatenated(sum, picture.tensor, side, matchingSize: matchImageSize)
        }
        result = Image(sum)
    }
}

/// Several pictures in one batch; later ones get the size of the first, missing ones are black (pack-nodes.md §2).
struct ImageBatchMulti: Node {
    static let info = NodeInfo("ImageBatchMulti", displayName: "Image Batch Multi", category: "KJNodes/image")

    @Input(.range(2...1000)) var inputcount = 2
    @Input(.named("image_1")) var image1: Image
    @Input(.named("image_2")) var image2: Image?
    @UndeclaredInputs var more
    @Output("images") var result: Image

    func run(_ context: NodeContext) async throws {
        _ = try image1.size()
        var batch = try image1.tensor.asFloat32()
        let black = try Tensor.zeros(image1.tensor.shape)
        for picture in try pictures(inputcount, [image1, image2], more).dropFirst() {
            batch = try joinImageBatches(batch, picture?.tensor ?? black)
        }
        result = Image(batch)
    }
}
