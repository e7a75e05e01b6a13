import CoreNodes
import Images
import JSON
import NodeKit
import PackTools

/// A number in several forms.
struct WASConstantNumber: Node {
    static let info = NodeInfo("Constant Number", category: "WAS Suite/Number")

    @Input(.choices(["integer", "float", "bool"])) var numberType: String
    @Input(.min(.double(-18446744073709551616)), .max(.double(18446744073709551616))) var number = 0.0
    @Output("NUMBER", type: "NUMBER") var result: AnyNodeValue
    @Output("FLOAT") var float: Double
    @Output("INT") var int: Int

    func run(_ context: NodeContext) async throws {
        let whole = number.truncatedInt
        switch numberType {
        case "integer": (result, float, int) = (AnyNodeValue(whole), Double(whole), whole)
        case "bool":
            let value = number > 0 ? 1 : 0
            (result, float, int) = (AnyNodeValue(value), Double(value), value)
        default: (result, float, int) = (AnyNodeValue(number), number, whole)
        }
    }
}

/// SEED of the pack: a number in an object.
struct WASSeedValue: NodeValue {
    static let socketType = "SEED"
    var seed: UInt64
}

/// A seed in several forms (pack-nodes.md §10).
struct WASSeed: Node {
    static let info = NodeInfo("Seed", category: "WAS Suite/Number")

    @Input(.min(.int(0)), .max(.uint(.max)), .controlAfterGenerate) var seed: UInt64 = 0
    @Output("seed") var result: WASSeedValue
    @Output("number", type: "NUMBER") var number: UInt64
    @Output("float") var float: Double
    @Output("int") var int: UInt64

    func run(_ context: NodeContext) async throws {
        (result, number, float, int) = (WASSeedValue(seed: seed), seed, Double(seed), seed)
    }
}

/// A picture of one colour; sides are raised to multiples of 8.
struct WASImageBlank: Node {
    static let info = NodeInfo("Image Blank", category: "WAS Suite/Image")

    @Input(.range(8...4096)) var width = 512
    @Input(.range(8...4096)) var height = 512
    @Input(.range(0...255)) var red = 255
    @Input(.range(0...255)) var green = 255
    @Input(.range(0...255)) var blue = 255
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        for (name, side) in [("width", width), ("height", height)] { try requireInRange(side, name, 1...65536) }
        for (name, value) in [("red", red), ("green", green), ("blue", blue)] {
            try requireInRange(value, name, 0...255)
        }
        result = Image(
            try emptyImage(
                width: (width + 7) / 8 * 8, height: (height + 7) / 8 * 8, colour: red << 16 | green << 8 | blue))
    }
}
