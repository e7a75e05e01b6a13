import NodeKit
import Tensors

/// A picture of one colour or of noise.
struct StubImage: Node {
    static let info = NodeInfo("StubImage", category: "Testing/Stub Nodes")
    @Input(.choices(["WHITE", "BLACK", "NOISE"])) var content: String
    @Input(.range(1...(1 << 30)), .step(1)) var height = 512
    @Input(.range(1...(1 << 36)), .step(1)) var width = 512
    @Input(.named("batch_size"), .range(1...(1 << 30)), .step(1)) var batchSize = 1
    @Output("IMAGE") var image: Image

    func run(_ context: NodeContext) async throws {
        let shape: Shape = [batchSize, height, width, 3]
        switch content {
        case "WHITE": image = Image(try .full(shape, 1))
        case "BLACK": image = Image(try .zeros(shape))
        default:
            var random = SystemRandomNumberGenerator()
            image = Image(
                try Tensor.build(shape, of: Float.self) { (span: inout MutableSpan<Float>) in
                    for index in span.indices { span[index] = Float(random.next() >> 40) * 0x1p-24 }
                })
        }
    }
}

/// A picture filled with a number.
struct StubConstantImage: Node {
    static let info = NodeInfo("StubConstantImage", category: "Testing/Stub Nodes")
    @Input(.range(0.0...1.0), .step(0.01)) var value = 0.5
    @Input(.range(1...(1 << 30)), .step(1)) var height = 512
    @Input(.range(1...(1 << 36)), .step(1)) var width = 512
    @Input(.named("batch_size"), .range(1...(1 << 30)), .step(1)) var batchSize = 1
    @Output("IMAGE") var image: Image
    func run(_ context: NodeContext) async throws {
        image = Image(try .full([batchSize, height, width, 3], Float(value)))
    }
}

/// A mask filled with a number.
struct StubMask: Node {
    static let info = NodeInfo("StubMask", category: "Testing/Stub Nodes")
    @Input(.range(0.0...1.0), .step(0.01)) var value = 0.5
    @Input(.range(1...(1 << 30)), .step(1)) var height = 512
    @Input(.range(1...(1 << 36)), .step(1)) var width = 512
    @Input(.named("batch_size"), .range(1...(1 << 30)), .step(1)) var batchSize = 1
    @Output("MASK") var mask: Mask
    func run(_ context: NodeContext) async throws { mask = Mask(try .full([batchSize, height, width], Float(value))) }
}

struct StubInt: Node {
    static let info = NodeInfo("StubInt", category: "Testing/Stub Nodes")
    @Input(.range(-0xffff_ffff...0xffff_ffff), .step(1)) var value = 0
    @Output("INT") var result: Int
    func run(_ context: NodeContext) async throws { result = value }
}

struct StubFloat: Node {
    static let info = NodeInfo("StubFloat", category: "Testing/Stub Nodes")
    @Input(.range(-1.0e38...1.0e38), .step(0.01)) var value = 0.0
    @Output("FLOAT") var result: Double
    func run(_ context: NodeContext) async throws { result = value }
}
