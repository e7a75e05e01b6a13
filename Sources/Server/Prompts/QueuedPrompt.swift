import Engine
import JSON
import NIOCore
import Workflow

/// A prompt that was accepted.
struct QueuedPrompt: Sendable {
    /// Its place in the queue (engine-semantics.md §2): prompts with smaller numbers run first, as clients gave them.
    var number: JSON
    /// Decides between equal numbers: the order of arrival.
    var sequence: Int64
    var id: String
    /// As it runs and as it is shown: with converted constants.
    var prompt: JSON
    /// What came with it, apart from secrets.
    var extraData: JSONObject
    /// The output nodes that the client asked for; `nil` for all.
    var targets: [String]?
    /// The output nodes that can run.
    var outputs: [String]
    /// Checked already; `nil` after a restart.
    var validated: ValidatedPrompt?
    /// How often it was begun by a process that ended in the middle.
    var attempts = 0
    /// What it takes, about: the size of the request that brought it.
    var byteCount = 0

    var clientID: String? { extraData["client_id"]?.stringValue }

    var order: Double { number.doubleValue ?? 0 }

    static func comesBefore(_ a: QueuedPrompt, _ b: QueuedPrompt) -> Bool {
        a.order == b.order ? a.sequence < b.sequence : a.order < b.order
    }

    /// `[number, prompt_id, prompt, extra_data, outputs]` (server-api.md §4).
    var item: JSON {
        .array([
            number, .string(id), prompt, .object(extraData), .array(outputs.map { .string($0) }),
        ])
    }

    /// ``item`` as text, made once and shared by all who ask: editors ask after every change of the queue.
    private(set) var itemText = ByteBuffer()

    /// Makes ``itemText`` of what the prompt is now.
    mutating func writeItem() { itemText = ByteBuffer(string: item.text(.compact)) }

    /// Keys of clients for services elsewhere; they are not kept (engine-semantics.md §2).
    static let secrets = ["auth_token_comfy_org", "api_key_comfy_org"]
}

/// How a prompt ended.
struct PromptOutcome: Sendable {
    enum Status: String, Sendable {
        case success, error, interrupted
        /// Taken out of the queue before it ran.
        case deleted
    }

    var id: String
    var status: Status
    /// The entry of the history; empty for a deleted prompt.
    var record: JSONObject
    /// How long it ran.
    var duration: Duration
}
