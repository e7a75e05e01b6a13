public import JSON

/// A property that is an input of the node: its name, type, default and limits are declared once, here.
///
/// ```swift
/// @Input var model: DiffusionModel                       // required link, port "model"
/// @Input(.range(1...10000)) var steps = 20               // INT with a default for front ends
/// @Input(.choices(["enable", "disable"])) var addNoise: String   // combo, port "add_noise"
/// @Input var mask: Mask?                                 // optional
/// @Input(.multiline) var text: String
/// @Input var images: [Image]                             // the whole list in one call
/// ```
/// The port's name is the property's in snake case unless `.named` says otherwise. A default does not make an input
/// optional: as in the reference, workflows spell every required value out.
@propertyWrapper public struct Input<Value: InputValue>: InputPort {
    private final class Box {
        var value: Value?
        var wasReadUnset = false
    }
    private let box = Box()
    private let initial: Value?
    let options: [InputOption]

    // Beside the next one, since the compiler initializes a property by itself only where an `init()` stands.
    public init() {
        options = []
        initial = nil
    }

    public init(_ options: InputOption...) {
        self.options = options
        initial = nil
    }

    public init(wrappedValue: Value, _ options: InputOption...) {
        self.options = options
        initial = wrappedValue
    }

    /// The value of the present call.
    ///
    /// In ``Node/fingerprint(_:)`` a linked input has no value yet: a number reads as its default or 0, a text as "",
    /// and the engine then does not keep the node's results. Ask ``isGiven`` first to avoid that.
    public var wrappedValue: Value {
        if let value = box.value { return value }
        box.wasReadUnset = true
        if let initial { return initial }
        if let absent = Value.absent { return absent }
        if let blank = Value.blank { return blank }
        preconditionFailure("a required input was read outside `run`")
    }

    /// Gives access to ``isGiven``.
    public var projectedValue: Input<Value> { self }

    /// Whether the workflow gives a value for the input.
    public var isGiven: Bool { box.value != nil }

    func bind(_ values: [any NodeValue], port: String) throws {
        box.value = try Value.make(from: values, port: port)
    }

    func schema(label: String) -> InputSchema {
        var name = snakeCase(label)
        var members = JSONObject()
        var isOptional = Value.isOptional
        var isLazy = false
        var isRawLink = false
        var isHidden = false
        var kind = InputSchema.Kind.type(Value.inputType)
        // A lazy property is an Optional because it may lack its value, not because the port may be left open.
        if options.contains(where: { if case .lazy = $0.effect { true } else { false } }) { isOptional = false }
        for option in options {
            switch option.effect {
            case .name(let text): name = text
            case .optional: isOptional = true
            case .required: isOptional = false
            case .lazy: isLazy = true
            case .rawLink: isRawLink = true
            case .hidden: isHidden = true
            case .kind(let other): kind = other
            case .members(let added): for (key, value) in added { members[key] = value }
            }
        }
        if let initial, let literal = initial.defaultLiteral, members["default"] == nil {
            var ordered: JSONObject = ["default": literal]
            for (key, value) in members { ordered[key] = value }
            members = ordered
        }
        return InputSchema(
            name: name, kind: kind, isOptional: isOptional || isHidden, isList: Value.isList,
            takesLiterals: Value.takesLiterals, isLazy: isLazy, isRawLink: isRawLink, isHidden: isHidden,
            options: members)
    }

    var isMissing: Bool { box.value == nil && initial == nil && Value.absent == nil }
    var wasReadUnset: Bool { box.wasReadUnset }
}

/// A property wrapper of a node: one protocol for all, because every question for another one is a search.
protocol NodePort {
    var role: NodePortRole { get }
}

enum NodePortRole {
    case input(any InputPort)
    case output(any OutputPort)
    case undeclared(UndeclaredInputs)
}

extension InputPort {
    var role: NodePortRole { .input(self) }
}

extension OutputPort {
    var role: NodePortRole { .output(self) }
}

/// The type-erased side of ``Input``.
protocol InputPort: NodePort {
    func bind(_ values: [any NodeValue], port: String) throws
    func schema(label: String) -> InputSchema
    /// Whether reading the property would have nothing to return.
    var isMissing: Bool { get }
    /// Whether the property was read although the workflow gave it no value yet.
    var wasReadUnset: Bool { get }
}

/// `clipName1` → `clip_name1`
func snakeCase(_ label: String) -> String {
    var out = ""
    for character in label {
        if character.isUppercase, !out.isEmpty { out += "_" }
        out += character.lowercased()
    }
    return out
}

/// A property of an input beside its type.
public struct InputOption: Sendable {
    enum Effect: Sendable {
        case name(String)
        case optional
        case required
        case lazy
        case rawLink
        case hidden
        case kind(InputSchema.Kind)
        case members([(String, JSON)])
    }
    let effect: Effect

    /// The port's name where it is not the property's in snake case.
    public static func named(_ name: String) -> InputOption { InputOption(effect: .name(name)) }
    /// In the optional group even though the property has a plain type and a default.
    public static var optional: InputOption { InputOption(effect: .optional) }
    /// In the required group even though the property is an Optional.
    public static var required: InputOption { InputOption(effect: .required) }
    /// Evaluated only when the node asks for it, see ``LazyNode``. The property has an Optional type, which is `nil` while
    /// there is no value; the port is required all the same unless `.optional` stands behind.
    public static var lazy: InputOption { InputOption(effect: .lazy) }
    /// The link itself instead of what comes over it; the property's type is ``GraphLink``.
    public static var rawLink: InputOption { InputOption(effect: .rawLink) }
    /// Not shown in front ends; a workflow or an expansion may give a value. The property has an Optional type.
    public static var hidden: InputOption { InputOption(effect: .hidden) }
    /// A combo with fixed choices.
    public static func choices(_ list: [String]) -> InputOption {
        InputOption(effect: .kind(.choice(.fixed(list))))
    }
    /// A combo of the files in a model folder ("loras").
    public static func files(_ folder: String, extra: [String] = []) -> InputOption {
        InputOption(effect: .kind(.choice(.files(folder: folder, extra: extra))))
    }
    /// A combo of the pictures in the input folder.
    public static var inputImages: InputOption { InputOption(effect: .kind(.choice(.inputImages))) }
    /// A socket type other than the Swift type's own ("IMAGE,MASK").
    public static func type(_ name: String) -> InputOption { InputOption(effect: .kind(.type(name))) }
    public static func min(_ value: JSON) -> InputOption { option("min", value) }
    public static func max(_ value: JSON) -> InputOption { option("max", value) }
    /// Smallest and largest allowed number.
    public static func range(_ range: ClosedRange<Int>) -> InputOption {
        InputOption(
            effect: .members([("min", .int(Int64(range.lowerBound))), ("max", .int(Int64(range.upperBound)))]))
    }
    /// Smallest and largest allowed number.
    public static func range(_ range: ClosedRange<Double>) -> InputOption {
        InputOption(effect: .members([("min", .double(range.lowerBound)), ("max", .double(range.upperBound))]))
    }
    public static func step(_ value: Int) -> InputOption { option("step", .int(Int64(value))) }
    public static func step(_ value: Double) -> InputOption { option("step", .double(value)) }
    public static func round(_ value: Double) -> InputOption { option("round", .double(value)) }
    public static var multiline: InputOption { option("multiline", .bool(true)) }
    /// Front ends rewrite `{a|b}` in the text.
    public static var dynamicPrompts: InputOption { option("dynamicPrompts", .bool(true)) }
    /// Front ends change the number after each run.
    public static var controlAfterGenerate: InputOption { option("control_after_generate", .bool(true)) }
    public static var imageUpload: InputOption { option("image_upload", .bool(true)) }
    /// A literal type that can only come from a link.
    public static var forceInput: InputOption { option("forceInput", .bool(true)) }
    public static var advanced: InputOption { option("advanced", .bool(true)) }
    public static func tooltip(_ text: String) -> InputOption { option("tooltip", .string(text)) }
    /// A default for front ends that the property cannot express.
    public static func defaultValue(_ value: JSON) -> InputOption { option("default", value) }
    /// Any other member of the options object.
    public static func option(_ key: String, _ value: JSON) -> InputOption {
        InputOption(effect: .members([(key, value)]))
    }
}
