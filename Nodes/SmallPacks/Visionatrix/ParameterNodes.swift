import Diffusion
import JSON
import NodeKit
import PackTools

/// What a workflow is called and by whom it is: no effect.
struct VixUiWorkflowMetadata: Node {
    static let info = NodeInfo("VixUiWorkflowMetadata", category: "Visionatrix/UI", isOutput: true)

    @Input(.optional) var name = ""

    func run(_ context: NodeContext) async throws {}
}

/// A text.
struct VixUiPrompt: Node {
    static let info = NodeInfo("VixUiPrompt", category: "Visionatrix/UI")

    @Input(.multiline) var text = ""
    @Output("STRING") var result: String

    func run(_ context: NodeContext) async throws { result = text }
}

/// A whole number.
struct VixUiRangeInt: Node {
    static let info = NodeInfo("VixUiRangeInt", category: "Visionatrix/UI")

    @Input(.min(.int(-.max)), .max(.int(.max))) var value = 0
    @Output("INT") var result: Int

    func run(_ context: NodeContext) async throws { result = value }
}

/// A number.
struct VixUiRangeFloat: Node {
    static let info = NodeInfo("VixUiRangeFloat", category: "Visionatrix/UI")

    @Input var value = 0.0
    @Output("FLOAT") var result: Double

    func run(_ context: NodeContext) async throws { result = value }
}

/// One of a list; where the list gives names to values, the value of the name.
struct VixUiList: Node {
    static let info = NodeInfo("VixUiList", category: "Visionatrix/UI")

    @Input var defaultValue = ""
    @Input(.optional, .tooltip("A JSON list, or an object of names and values.")) var possibleValues = ""
    @Output("*", type: "*") var result: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        let mapped = (try? JSON(parsing: Array(possibleValues.utf8)))?[defaultValue]
        switch mapped {
        case nil, .null?: result = AnyNodeValue(defaultValue)
        case .string(let text)?: result = AnyNodeValue(text)
        case .bool(let isTrue)?: result = AnyNodeValue(isTrue)
        case .double(let number)?: result = AnyNodeValue(number)
        case let other?: result = other.intValue.map { AnyNodeValue($0) } ?? AnyNodeValue(JSONNodeValue(other))
        }
    }
}

/// A size by name: "1:1 (1024x1024)".
struct VixUiAspectRatioSelector: Node {
    static let info = NodeInfo("VixUiAspectRatioSelector", category: "Visionatrix/UI")

    @Input(.type("STRING")) var aspectRatio: String
    @Output("aspect_ratio") var ratio: String
    @Output("width") var width: Int
    @Output("height") var height: Int

    func run(_ context: NodeContext) async throws {
        let parts = aspectRatio.split(separator: "(", maxSplits: 1)
        let sides = (parts.last ?? "").split(separator: ")", maxSplits: 1).first?.split(separator: "x").map { Int($0) }
        guard parts.count == 2, let sides, sides.count == 2, let wide = sides[0], let high = sides[1] else {
            throw NodeError(
                "input \"aspect_ratio\": \"\(aspectRatio.prefix(50))\" is not of the form \"1:1 (1024x1024)\"")
        }
        (ratio, width, height) = (PythonText.stripped(String(parts[0])), wide, high)
    }
}

/// A switch, also as 0 or 1.
struct VixUiCheckbox: Node {
    static let info = NodeInfo("VixUiCheckbox", category: "Visionatrix/UI")

    @Input var state = false
    @Output("BOOLEAN") var result: Bool
    @Output("INT") var number: Int

    func run(_ context: NodeContext) async throws { (result, number) = (state, state ? 1 : 0) }
}

/// A place where the pack's front end puts LoRAs; passes model and text encoder on.
struct VixDynamicLoraDefinition: Node {
    static let info = NodeInfo("VixDynamicLoraDefinition", category: "Visionatrix/LoRA")

    @Input var model: DiffusionModel
    @Input var clip: TextEncoderValue
    @Output var changedModel: DiffusionModel
    @Output var changedClip: TextEncoderValue

    func run(_ context: NodeContext) async throws { (changedModel, changedClip) = (model, clip) }
}
