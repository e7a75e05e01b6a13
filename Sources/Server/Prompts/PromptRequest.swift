import Engine
import HTTPTypes
import JSON
import Workflow

/// The body of `POST /prompt` (server-api.md §4), read but not checked against the node types.
struct PromptRequest: Sendable {
    var prompt: Prompt
    var promptID: String
    /// `nil` takes the server's counter.
    var number: JSON?
    var isFront: Bool
    var targets: [String]?
    var extraData: JSONObject
    /// The size of the request's body.
    var byteCount: Int

    /// - Throws: ``HTTPFailure`` 400 in the structure of the reference.
    init(_ body: JSONObject, byteCount: Int, nodeLimit: Int) throws(HTTPFailure) {
        self.byteCount = byteCount
        guard let prompt = body["prompt"] else {
            throw Self.refused("no_prompt", "No prompt provided", "No prompt provided")
        }
        self.prompt = try Self.prompt(prompt, nodeLimit)
        promptID = try Self.promptID(body["prompt_id"])
        switch body["number"] {
        case nil, .null?: number = nil
        case .some(let value):
            // Beyond 2^53 numbers are not told apart any more.
            guard let given = value.doubleValue ?? value.stringValue.flatMap(Double.init),
                abs(given) <= 9_007_199_254_740_992
            else {
                throw Self.refused(
                    "invalid_prompt", "number is \(shortened(value.text(.compact), to: 40)), expected -2^53 to 2^53",
                    "number")
            }
            number = .double(given)
        }
        isFront = body["front"]?.boolValue ?? false
        targets = try Self.targets(body["partial_execution_targets"])
        switch body["extra_data"] {
        case nil, .null?: extraData = JSONObject()
        case .object(let members)?: extraData = members
        case .some(let other):
            throw Self.refused("invalid_prompt", "extra_data is \(other.kind), expected an object", "extra_data")
        }
        for name in QueuedPrompt.secrets { extraData[name] = nil }
        if let client = body["client_id"], !client.isNull {
            let text = client.stringValue ?? client.text(.compact)
            guard text.utf8.count <= 256 else {
                throw Self.refused("invalid_prompt", "client_id has more than 256 bytes", "client_id")
            }
            extraData["client_id"] = .string(text)
        }
    }

    static func refused(_ type: String, _ message: String, _ details: String) -> HTTPFailure {
        .structured(.badRequest, type: type, message, details: details)
    }

    private static func prompt(_ json: JSON, _ nodeLimit: Int) throws(HTTPFailure) -> Prompt {
        // An empty list is what the reference takes for an empty graph.
        if case .array(let items) = json, items.isEmpty { return Prompt() }
        guard case .object(let nodes) = json else {
            throw refused("invalid_prompt", "The prompt is \(json.kind), expected an object", "prompt")
        }
        guard nodes.count <= nodeLimit else {
            throw refused(
                "invalid_prompt", "The prompt has \(nodes.count) nodes, which is more than the limit of \(nodeLimit)",
                "prompt")
        }
        for (id, node) in nodes {
            guard case .object(let members) = node else {
                throw refused(
                    "invalid_prompt", "Node \(shortened(id)) is \(node.kind), expected an object", "Node ID '#\(id)'")
            }
            guard members["class_type"]?.stringValue != nil else {
                throw refused(
                    "invalid_prompt", "Cannot execute because a node is missing the class_type property.",
                    "Node ID '#\(id)'")
            }
        }
        do {
            return try Prompt(json)
        } catch {
            throw refused("invalid_prompt", "The prompt is malformed", error.description)
        }
    }

    private static func promptID(_ json: JSON?) throws(HTTPFailure) -> String {
        guard let json, !json.isNull else { return freshID() }
        let text = json.stringValue ?? json.text(.compact)
        guard !text.isEmpty, text.utf8.count <= 256, !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            throw refused(
                "invalid_prompt_id", "prompt_id is not usable as an id",
                "expected 1 to 256 bytes without control characters")
        }
        return text
    }

    private static func targets(_ json: JSON?) throws(HTTPFailure) -> [String]? {
        guard let json, !json.isNull else { return nil }
        guard let items = json.arrayValue else {
            throw refused(
                "invalid_prompt", "partial_execution_targets is \(json.kind), expected a list of node ids",
                "partial_execution_targets")
        }
        return items.compactMap { $0.stringValue ?? $0.intValue.map(String.init) }
    }
}

extension ServerContext {
    /// Checks a request and puts it into the queue.
    ///
    /// - Parameter willAdd: called when the prompt is about to be added.
    /// - Returns: the prompt as it was taken, and what is wrong with parts of it.
    /// - Throws: ``HTTPFailure`` with the reference's structure when nothing of it can run.
    func accept(
        _ request: PromptRequest, _ queue: PromptQueue, willAdd: (QueuedPrompt) -> Void = { _ in }
    ) async throws -> (prompt: QueuedPrompt, nodeErrors: JSON) {
        try queue.checkRoom()
        let counter = request.number == nil ? queue.nextNumber() : 0
        let registry = await nodes.registry
        let report = await GraphEngine.validate(
            request.prompt, registry: registry, files: files, targets: request.targets)
        guard let validated = report.validated else {
            throw HTTPFailure(.badRequest, report.error?.message ?? "The prompt cannot run", body: report.json)
        }
        let prompt = QueuedPrompt(
            number: request.number ?? .int(request.isFront ? -counter : counter), sequence: 0, id: request.promptID,
            prompt: validated.prompt.json, extraData: request.extraData, targets: request.targets,
            outputs: validated.outputs, validated: validated, byteCount: request.byteCount)
        willAdd(prompt)
        try await queue.add(prompt)
        return (prompt, report.nodeErrors)
    }
}
