import NodeKit
import Tensors

/// What the validated nodes compute: the product of two inputs, each a picture or a number.
private func product(_ a: any NodeValue, _ b: any NodeValue) throws -> Image {
    switch (a, b) {
    case (let a as Image, let b as Image): return Image(try HostMath.multiply(a.tensor, b.tensor))
    case (let a as Image, let b as Double): return Image(try HostMath.scale(a.tensor, Float(b)))
    case (let a as Double, let b as Image): return Image(try HostMath.scale(b.tensor, Float(a)))
    case (let a as Double, let b as Double): return Image(try .full([1, 512, 512, 3], Float(a * b)))
    default: throw NodeError("expected two values of IMAGE or FLOAT, found \(type(of: a)) and \(type(of: b))")
    }
}

/// Why a constant is neither a picture nor a number with a point.
private func complaint(_ name: String, _ value: AnyNodeValue?) -> String? {
    guard let value, !(value.base is Image), !(value.base is Double) else { return nil }
    return "Invalid type of \(name): \(type(of: value.base))"
}

/// Judges its constants.
struct TestCustomValidation1: ValidatingNode {
    static let info = NodeInfo("TestCustomValidation1", category: category)
    static let checks = NodeChecks(ports: ["input1", "input2"])
    @Input(.type("IMAGE,FLOAT")) var input1: AnyNodeValue
    @Input(.type("IMAGE,FLOAT")) var input2: AnyNodeValue
    @Output("IMAGE") var result: Image
    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        ($input1.isGiven ? complaint("input1", input1) : nil) ?? ($input2.isGiven ? complaint("input2", input2) : nil)
    }
    func run(_ context: NodeContext) async throws { result = try product(input1.base, input2.base) }
}

/// Judges its constants and the types of its links.
struct TestCustomValidation2: ValidatingNode {
    static let info = NodeInfo("TestCustomValidation2", category: category)
    static let checks = NodeChecks(ports: ["input1", "input2"], linkTypes: true)
    @Input(.type("IMAGE,FLOAT")) var input1: AnyNodeValue
    @Input(.type("IMAGE,FLOAT")) var input2: AnyNodeValue
    @Output("IMAGE") var result: Image
    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        for (name, type) in types.sorted(by: { $0.key < $1.key }) where type != "IMAGE" && type != "FLOAT" {
            return "Invalid type of \(name): \(type)"
        }
        return ($input1.isGiven ? complaint("input1", input1) : nil)
            ?? ($input2.isGiven ? complaint("input2", input2) : nil)
    }
    func run(_ context: NodeContext) async throws { result = try product(input1.base, input2.base) }
}

/// Judges the types of its links alone: all that may come must be accepted.
struct TestCustomValidation3: ValidatingNode {
    static let info = NodeInfo("TestCustomValidation3", category: category)
    static let checks = NodeChecks(ports: [], linkTypes: true)
    @Input(.type("IMAGE,FLOAT")) var input1: AnyNodeValue
    @Input(.type("IMAGE,FLOAT")) var input2: AnyNodeValue
    @Output("IMAGE") var result: Image
    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        for (name, type) in types.sorted(by: { $0.key < $1.key }) where type != "*" {
            let offered = Set(type.split(separator: ","))
            if !offered.isSubset(of: ["IMAGE", "FLOAT"]) { return "Invalid type of \(name): \(type)" }
        }
        return nil
    }
    func run(_ context: NodeContext) async throws { result = try product(input1.base, input2.base) }
}

/// Judges numbers; links are checked as usual.
struct TestCustomValidation4: ValidatingNode {
    static let info = NodeInfo("TestCustomValidation4", category: category)
    static let checks = NodeChecks(ports: ["input1", "input2"])
    @Input var input1: Double
    @Input var input2: Double
    @Output("IMAGE") var result: Image
    // Constants have been converted by now: every one is a number.
    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? { nil }
    func run(_ context: NodeContext) async throws { result = try product(input1, input2) }
}

/// Judges all inputs, and by that takes over the check of their ranges.
struct TestCustomValidation5: ValidatingNode {
    static let info = NodeInfo("TestCustomValidation5", category: category)
    static let checks = NodeChecks(ports: nil)
    @Input(.range(0.0...1.0)) var input1: Double
    @Input(.range(0.0...1.0)) var input2: Double
    @Output("IMAGE") var result: Image
    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        $input2.isGiven && input2 == 7 ? "7s are not allowed. I've never liked 7s." : nil
    }
    func run(_ context: NodeContext) async throws { result = try product(input1, input2) }
}
