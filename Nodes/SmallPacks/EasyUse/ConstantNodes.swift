import JSON
import NodeKit

/// A whole number (pack-nodes.md §10).
struct EasyInt: Node {
    static let info = NodeInfo("easy int", displayName: "Int", category: "EasyUse/Logic/Type")

    @Input(.min(.int(-.max)), .max(.int(.max))) var value = 0
    @Output("int") var result: Int

    func run(_ context: NodeContext) async throws { result = value }
}

/// A number.
struct EasyFloat: Node {
    static let info = NodeInfo("easy float", displayName: "Float", category: "EasyUse/Logic/Type")

    @Input(.step(0.01)) var value = 0.0
    @Output("float") var result: Double

    func run(_ context: NodeContext) async throws { result = value }
}

/// A prompt with its pick lists, which only front ends use.
struct EasyPrompt: Node {
    static let info = NodeInfo("easy prompt", displayName: "Prompt", category: "EasyUse/Prompt")

    @Input(.multiline, .optional) var text = ""
    @Input(.type("STRING"), .optional) var prefix = ""
    @Input(.type("STRING"), .optional) var subject = ""
    @Input(.type("STRING"), .optional) var action = ""
    @Input(.type("STRING"), .optional) var clothes = ""
    @Input(.type("STRING"), .optional) var environment = ""
    @Input(.type("STRING"), .optional) var background = ""
    @Input(.type("STRING"), .optional) var nsfw = ""
    // The text's name in older versions.
    @Input(.optional, .forceInput) var prompt: String?
    @Output("prompt") var result: String

    func run(_ context: NodeContext) async throws { result = $text.isGiven ? text : prompt ?? "" }
}

/// A positive prompt.
struct EasyPositive: Node {
    static let info = NodeInfo("easy positive", displayName: "Positive", category: "EasyUse/Prompt")

    @Input(.multiline) var positive = ""
    @Output("positive") var result: String

    func run(_ context: NodeContext) async throws { result = positive }
}

/// A negative prompt.
struct EasyNegative: Node {
    static let info = NodeInfo("easy negative", displayName: "Negative", category: "EasyUse/Prompt")

    @Input(.multiline) var negative = ""
    @Output("negative") var result: String

    func run(_ context: NodeContext) async throws { result = negative }
}

/// One of two texts.
struct EasyTextSwitch: Node {
    static let info = NodeInfo("easy textSwitch", displayName: "Text Switch", category: "EasyUse/Logic/Switch")

    @Input(.range(1...2)) var input = 1
    @Input(.optional, .forceInput) var text1 = ""
    @Input(.optional, .forceInput) var text2 = ""
    @Output("STRING") var result: String

    func run(_ context: NodeContext) async throws { result = input == 1 ? text1 : text2 }
}
