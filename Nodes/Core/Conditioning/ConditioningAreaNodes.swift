import Diffusion
import JSON
import NodeKit
import Sampling
import Tensors

/// Entries that hold for a rectangle, given in pixels (families-unet-sampling.md §12).
struct ConditioningSetArea: Node {
    static let info = NodeInfo("ConditioningSetArea", displayName: "Conditioning (Set Area)", category: "conditioning")

    @Input var conditioning: ConditioningValue
    @Input(.range(64...16384), .step(8)) var width = 64
    @Input(.range(64...16384), .step(8)) var height = 64
    @Input(.range(0...16384), .step(8)) var x = 0
    @Input(.range(0...16384), .step(8)) var y = 0
    @Input(.range(0.0...10.0), .step(0.01)) var strength = 1.0
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        result = conditioning.mapEntries { entry in
            entry[EntryArea.self] = .elements(height: height / 8, width: width / 8, y: y / 8, x: x / 8)
            entry[EntryStrength.self] = Float(strength)
            entry[EntryAreaFromMask.self] = false
        }
    }
}

/// Entries that hold for a rectangle, given in fractions of the picture.
struct ConditioningSetAreaPercentage: Node {
    static let info = NodeInfo(
        "ConditioningSetAreaPercentage", displayName: "Conditioning (Set Area with Percentage)",
        category: "conditioning")

    @Input var conditioning: ConditioningValue
    @Input(.min(.int(0)), .max(.double(1.0)), .step(0.01)) var width = 1.0
    @Input(.min(.int(0)), .max(.double(1.0)), .step(0.01)) var height = 1.0
    @Input(.defaultValue(.int(0)), .min(.int(0)), .max(.double(1.0)), .step(0.01)) var x = 0.0
    @Input(.defaultValue(.int(0)), .min(.int(0)), .max(.double(1.0)), .step(0.01)) var y = 0.0
    @Input(.range(0.0...10.0), .step(0.01)) var strength = 1.0
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        result = conditioning.mapEntries { entry in
            entry[EntryArea.self] = .fractions(height: height, width: width, y: y, x: x)
            entry[EntryStrength.self] = Float(strength)
            entry[EntryAreaFromMask.self] = false
        }
    }
}

/// The weight of entries among others.
struct ConditioningSetAreaStrength: Node {
    static let info = NodeInfo("ConditioningSetAreaStrength", category: "conditioning")

    @Input var conditioning: ConditioningValue
    @Input(.range(0.0...10.0), .step(0.01)) var strength = 1.0
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        result = conditioning.mapEntries { $0[EntryStrength.self] = Float(strength) }
    }
}

/// Entries that hold where a mask is set, or for the rectangle around it.
struct ConditioningSetMask: Node {
    static let info = NodeInfo("ConditioningSetMask", displayName: "Conditioning (Set Mask)", category: "conditioning")

    @Input var conditioning: ConditioningValue
    @Input var mask: Mask
    @Input(.range(0.0...10.0), .step(0.01)) var strength = 1.0
    @Input(.choices(["default", "mask bounds"])) var setCondArea: String
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        let shape = mask.tensor.shape
        let planes = shape.rank == 2 ? try mask.tensor.asFloat32().reshaped([1, shape[0], shape[1]]) : mask.tensor
        result = conditioning.mapEntries { entry in
            entry[EntryMask.self] = planes
            entry[EntryAreaFromMask.self] = setCondArea != "default"
            entry[EntryMaskStrength.self] = Float(strength)
        }
    }
}

/// Entries that hold for a part of the run, given in fractions of it.
struct ConditioningSetTimestepRange: Node {
    static let info = NodeInfo("ConditioningSetTimestepRange", category: "advanced/conditioning")

    @Input var conditioning: ConditioningValue
    @Input(.range(0.0...1.0), .step(0.001)) var start = 0.0
    @Input(.range(0.0...1.0), .step(0.001)) var end = 1.0
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        result = conditioning.mapEntries { $0[TimestepRange.self] = PercentRange(start: start, end: end) }
    }
}
