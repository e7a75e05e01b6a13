import JSON
import NodeKit
import Tensors

/// A constant.
struct NumberNode: Node {
    static let info = NodeInfo("Number", category: "test")
    @Input(.range(-100...100)) var value = 0
    @Output("value") var result: Int
    func run(_ context: NodeContext) async throws { result = value }
}

struct AddNode: Node {
    static let info = NodeInfo("Add", category: "test")
    @Input var a: Int
    @Input var b: Int
    @Output("sum") var sum: Int
    func run(_ context: NodeContext) async throws { sum = a + b }
}

/// An output node that shows what it gets.
struct ShowNode: Node {
    static let info = NodeInfo("Show", category: "test", isOutput: true)
    @Input var value: AnyNodeValue
    func run(_ context: NodeContext) async throws {
        let json = (value.base as? any LiteralValue)?.literal ?? .string("\(value.base)")
        context.show(["text": .array([json])])
    }
}

/// An output node that shows nothing.
struct SilentNode: Node {
    static let info = NodeInfo("Silent", category: "test", isOutput: true)
    @Input var value: AnyNodeValue
    func run(_ context: NodeContext) async throws {}
}

struct FailNode: Node {
    static let info = NodeInfo("Fail", category: "test")
    @Input var value: Int
    @Output var result: Int
    func run(_ context: NodeContext) async throws { throw NodeError("it was meant to fail at \(value)") }
}

/// A list from 1 to `count`.
struct RangeNode: Node {
    static let info = NodeInfo("Range", category: "test")
    @Input(.min(.int(0))) var count: Int
    @Output("values") var values: [Int]
    func run(_ context: NodeContext) async throws { values = count == 0 ? [] : Array(1...count) }
}

/// Takes whole lists in one call.
struct TotalNode: Node {
    static let info = NodeInfo("Total", category: "test")
    @Input var values: [Int]
    @Input var scale: Int
    @Output("total") var total: Int
    func run(_ context: NodeContext) async throws { total = values.reduce(0, +) * scale }
}

/// Every literal type, choices and limits.
struct LiteralsNode: Node {
    static let info = NodeInfo("Literals", category: "test", isOutput: true)
    @Input(.range(1...10)) var count = 3
    @Input var seed: UInt64
    @Input(.range(0.0...1.0)) var strength = 0.5
    @Input var text: String
    @Input var flag: Bool
    @Input(.choices(["red", "green", "blue"])) var colour: String
    @Input(.files("loras", extra: ["None"])) var file: String?
    @Input(.inputImages) var picture: String?
    @Input var anything: AnyNodeValue?
    @Input var image: Image?
    func run(_ context: NodeContext) async throws {
        context.show([
            "text": .array([.int(Int64(count)), seed.literal, .double(strength), .string(text), .bool(flag)])
        ])
    }
}

/// A picture whose every element is `value`.
struct PictureNode: Node {
    static let info = NodeInfo("Picture", category: "test")
    @Input(.range(1...4096)) var size = 4
    @Input var value = 0.5
    @Output var image: Image
    func run(_ context: NodeContext) async throws { image = Image(try .full([1, size, size, 3], Float(value))) }
}

/// Always another change text.
struct ChangingNode: Node {
    static let info = NodeInfo("Changing", category: "test")
    @Input var text: String
    @Input var broken: Bool
    @Output("text") var result: String
    func run(_ context: NodeContext) async throws { result = text }
    func fingerprint(_ context: NodeContext) throws -> String? {
        if broken { throw NodeError("no fingerprint") }
        return text + "!"
    }
}

/// May share results only with itself.
struct OwnNode: Node {
    static let info = NodeInfo("Own", category: "test", usesNodeID: true)
    @Input var value: Int
    @Output("id") var result: String
    func run(_ context: NodeContext) async throws { result = context.nodeID }
}

/// Long work in steps; calls `onStep` of the test through its files' names.
struct StepsNode: Node {
    static let info = NodeInfo("Steps", category: "test")
    @Input var steps: Int
    @Output("steps") var result: Int
    func run(_ context: NodeContext) async throws {
        for step in 0..<steps {
            try context.checkCancellation()
            context.progress(step + 1, of: steps)
        }
        context.warn("done")
        result = steps
    }
}

struct LoadNode: Node {
    static let info = NodeInfo("Load", category: "test")
    @Input(.files("loras")) var name: String
    @Output("path") var path: String
    func run(_ context: NodeContext) async throws { path = try context.files.model("loras", name) }
}

/// A combo's value passed on.
struct NameNode: Node {
    static let info = NodeInfo("Name", category: "test")
    @Input var text: String
    @Output("name", type: "COMBO") var name: String
    func run(_ context: NodeContext) async throws { name = text }
}

let stubPack = NodePack(
    "stubs", module: "nodes",
    nodes: [
        NumberNode.self, AddNode.self, ShowNode.self, SilentNode.self, FailNode.self, RangeNode.self, TotalNode.self,
        LiteralsNode.self, PictureNode.self, ChangingNode.self, OwnNode.self, StepsNode.self, LoadNode.self,
        NameNode.self,
    ])
