import JSON
import NodeKit

/// What conversion needs of a node type: its inputs in order, which of them are widgets, and the types of its outputs.
final class NodeShape: Sendable {
    /// The extra values that front ends save behind a widget's own.
    enum Control: Sendable {
        case none
        /// One: fixed, increment, decrement or randomize.
        case number
        /// Two: the mode and a filter text.
        case combo
    }

    struct Port: Sendable {
        var name: String
        /// The socket type; "COMBO" for a choice.
        var type: String
        var isWidget: Bool
        /// A value type that only a link can give. Front ends before 1.16 saved a value for it all the same.
        var isForced: Bool
        /// What a new node has there.
        var defaultValue: JSON?
        var control: Control
        /// Whether `{a|b}` and comments in its text are rewritten.
        var isDynamicPrompt: Bool
    }

    let ports: [Port]
    /// Positions in ``ports`` in the order of the node's slots: sockets, then widgets.
    let slotOrder: [Int]
    let outputs: [String]
    let displayName: String
    private let indexByName: [String: Int]

    init(_ schema: NodeSchema) {
        let ports = schema.inputs.map(Port.init)
        self.ports = ports
        slotOrder = ports.indices.filter { !ports[$0].isWidget } + ports.indices.filter { ports[$0].isWidget }
        outputs = schema.outputs.map(\.type)
        displayName = schema.displayName
        indexByName = Dictionary(ports.indices.map { (ports[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func port(_ name: String) -> Port? { indexByName[name].map { ports[$0] } }

    /// The types that front ends have a widget for.
    static let widgetTypes: Set<String> = [
        "INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COLOR", "MARKDOWN", "WEBCAM", "AUDIO_RECORD", "AUDIO_UI",
        "AUDIOUPLOAD", "IMAGEUPLOAD", "FILEUPLOAD", "LOAD_3D", "LOAD_3D_ANIMATION", "PREVIEW_3D",
        "PREVIEW_3D_ANIMATION",
    ]

    /// Whether an INT of this name has a control value without saying so.
    static func isSeed(_ name: String) -> Bool { name == "seed" || name == "noise_seed" }
}

extension NodeShape.Port {
    init(_ input: InputSchema) {
        name = input.name
        var isForcedByOption = false
        if case .bool(true)? = input.options["forceInput"] { isForcedByOption = true }
        var first: JSON?
        switch input.kind {
        case .type(let name):
            type = name
            if case .array(let choices)? = input.options["options"] { first = choices.first }
        case .choice(let choices):
            type = "COMBO"
            if case .fixed(let list) = choices { first = list.first.map { .string($0) } }
            if case .files(_, let extra) = choices { first = extra.first.map { .string($0) } }
        }
        let widgetType = input.options["widgetType"]?.stringValue ?? type
        let hasWidget = NodeShape.widgetTypes.contains(widgetType)
        isWidget = hasWidget && !isForcedByOption
        isForced = hasWidget && isForcedByOption
        defaultValue =
            switch type {
            case "INT": input.options["default"] ?? .int(0)
            case "FLOAT": input.options["default"] ?? .double(0)
            case "STRING": input.options["default"] ?? .string("")
            case "BOOLEAN": input.options["default"] ?? .bool(false)
            default: input.options["default"] ?? first
            }
        let isControlled: Bool =
            switch input.options["control_after_generate"] {
            case .bool(let flag)?: flag
            case .string?: true
            default: false
            }
        control =
            switch type {
            case "INT" where isControlled || NodeShape.isSeed(input.name): .number
            case "COMBO" where isControlled: .combo
            default: .none
            }
        isDynamicPrompt = type == "STRING" && input.options["dynamicPrompts"] == .bool(true)
    }
}
