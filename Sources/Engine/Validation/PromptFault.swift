public import JSON

/// One thing that is wrong with a prompt: what the reference's clients read (engine-semantics.md §4), and what a person
/// needs to mend it.
public struct PromptFault: Error, Sendable, Hashable {
    /// The `type` of the error catalogue.
    public enum Kind: String, Sendable, Hashable {
        case noPrompt = "no_prompt"
        case invalidPrompt = "invalid_prompt"
        case missingNodeType = "missing_node_type"
        case promptHasNoOutputs = "prompt_no_outputs"
        case outputsFailed = "prompt_outputs_failed_validation"
        case requiredInputMissing = "required_input_missing"
        case badLink = "bad_linked_input"
        case typeMismatch = "return_type_mismatch"
        case invalidInputType = "invalid_input_type"
        case tooSmall = "value_smaller_than_min"
        case tooBig = "value_bigger_than_max"
        case notInList = "value_not_in_list"
        case customValidation = "custom_validation_failed"
        case exception = "exception_during_validation"
        case innerException = "exception_during_inner_validation"
        case dependencyCycle = "dependency_cycle"
    }

    public var kind: Kind
    public var message: String
    public var details: String
    public var extraInfo: JSONObject

    /// The input concerned.
    public var input: String?
    /// What stands in the prompt, shortened.
    public var found: String?
    /// What may stand there.
    public var allowed: String?
    /// The allowed name that looks most like what was found.
    public var nearest: String?

    public init(
        _ kind: Kind, _ message: String, details: String, extraInfo: JSONObject = JSONObject(), input: String? = nil,
        found: String? = nil, allowed: String? = nil, nearest: String? = nil
    ) {
        self.kind = kind
        self.message = message
        self.details = details
        self.extraInfo = extraInfo
        self.input = input
        self.found = found
        self.allowed = allowed
        self.nearest = nearest
    }

    /// `{type, message, details, extra_info}`.
    public var json: JSON {
        .object([
            "type": .string(kind.rawValue), "message": .string(message), "details": .string(details),
            "extra_info": .object(extraInfo),
        ])
    }
}
