import NodeKit
import Tensors

/// Mixes two pictures by a mask; one that the mask leaves out is not evaluated.
struct TestLazyMixImages: LazyNode {
    static let info = NodeInfo("TestLazyMixImages", category: category)
    @Input(.lazy) var image1: Image?
    @Input(.lazy) var image2: Image?
    @Input var mask: Mask
    @Output("IMAGE") var result: Image

    func neededInputs(_ context: NodeContext) async throws -> [String] {
        let range = try mask.range
        var needed: [String] = []
        if image1 == nil && !(range.low == 1 && range.high == 1) { needed.append("image1") }
        if image2 == nil && !(range.low == 0 && range.high == 0) { needed.append("image2") }
        return needed
    }

    func run(_ context: NodeContext) async throws {
        let range = try mask.range
        if range == (0, 0), let image1 {
            result = image1
        } else if range == (1, 1), let image2 {
            result = image2
        } else if let image1, let image2 {
            result = try mixed(image1, image2)
        } else {
            throw NodeError("a picture that the mask needs has no value")
        }
    }

    private func mixed(_ a: Image, _ b: Image) throws -> Image {
        let shape = a.tensor.shape
        guard b.tensor.shape == shape else {
            throw NodeError("the pictures differ in size: \(shape) and \(b.tensor.shape)")
        }
        let m = mask.tensor
        let pixels = try m.reshaped([m.shape[0], m.shape[1], m.shape[2], 1])
        let weights = try pixels.broadcast(to: shape)
        let darker = try HostMath.zip(a.tensor, weights) { $0 * (1 - $1) }
        return Image(try HostMath.add(darker, HostMath.multiply(b.tensor, weights)))
    }
}

extension Mask {
    /// Smallest and largest value.
    fileprivate var range: (low: Float, high: Float) {
        get throws {
            let values = try tensor.floats()
            return (values.min() ?? 0, values.max() ?? 0)
        }
    }
}

/// The mean of any number of pictures: input1, input2, …
struct TestVariadicAverage: Node {
    static let info = NodeInfo("TestVariadicAverage", category: category)
    @Input var input1: Image
    @UndeclaredInputs var more
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        var pictures = [input1.tensor]
        while let next = more["input\(pictures.count + 1)"] as? Image { pictures.append(next.tensor) }
        var sum = pictures[0]
        for picture in pictures.dropFirst() { sum = try HostMath.add(sum, picture) }
        result = Image(try HostMath.scale(sum, 1 / Float(pictures.count)))
    }
}

/// An output node with an output of its own.
struct TestOutputNodeWithSocketOutput: Node {
    static let info = NodeInfo("TestOutputNodeWithSocketOutput", category: category, isOutput: true)
    @Input var image: Image
    @Input(.range(0.0...10.0), .step(0.1)) var value = 1.0
    @Output("IMAGE") var result: Image
    func run(_ context: NodeContext) async throws { result = Image(try HostMath.scale(image.tensor, Float(value))) }
}
