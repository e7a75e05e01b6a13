import HTTPTypes
import HummingbirdCore
import JSON
import NIOCore

/// Prompts, queue, history and control (server-api.md §4).
func addPromptRoutes(to routes: inout RouteTable, _ server: ServerContext, _ queue: PromptQueue, _ store: PromptStore) {
    addSubmission(to: &routes, server, queue)
    addRun(to: &routes, server, queue)
    addQueue(to: &routes, queue)
    addHistory(to: &routes, store)
    addControl(to: &routes, queue)
}

private let refusedPrompt = JSON.members(
    ["error": .members(["type": .type("string"), "message": .type("string")]), "node_errors": .type("object")])

/// What `POST /prompt` and `POST /run` take.
let promptBody = RouteDescription.Content.json(
    .members(
        [
            "prompt": .object([
                "type": .string("object"), "description": .string("Nodes by id: class_type and inputs."),
            ]),
            "client_id": .type("string"), "prompt_id": .type("string"), "extra_data": .type("object"),
            "number": .type("number"), "front": .type("boolean"),
            "partial_execution_targets": .list(of: .type("string")),
        ], required: ["prompt"]))

let promptRefusals = [
    RouteDescription.Answer(400, "Nothing of the prompt can run.", .json(refusedPrompt)),
    RouteDescription.Answer(413, "The body is too large.", .text),
    RouteDescription.Answer(429, "The queue is full.", .json(refusedPrompt)),
    RouteDescription.Answer(503, "The server is ending.", .json(refusedPrompt)),
]

private func addSubmission(to routes: inout RouteTable, _ server: ServerContext, _ queue: PromptQueue) {
    routes.get(
        "/prompt",
        RouteDescription(
            "How many prompts wait or run.", tag: "prompts",
            answers: [.init(200, "exec_info.queue_remaining.", .object)])
    ) { _ in .json(.object(queue.status)) }

    routes.post(
        "/prompt",
        RouteDescription(
            "Checks a prompt and puts it into the queue.", tag: "prompts", body: [promptBody],
            answers: [
                .init(
                    200, "It is in the queue, and on disk.",
                    .json(
                        .members(
                            [
                                "prompt_id": .type("string"), "number": .type("number"),
                                "node_errors": .type("object"),
                            ], required: ["prompt_id", "number", "node_errors"])))
            ] + promptRefusals)
    ) { request in
        let parsed = try await readPrompt(request, server)
        let (prompt, nodeErrors) = try await server.accept(parsed, queue)
        return .json(.object(["prompt_id": .string(prompt.id), "number": prompt.number, "node_errors": nodeErrors]))
    }
}

/// The body of a request; faults in the structure that clients of `/prompt` read.
func readPrompt(_ request: ServerRequest, _ server: ServerContext) async throws -> PromptRequest {
    let body: JSONObject
    do {
        body = try await request.jsonObject()
    } catch let failure as HTTPFailure where failure.status == .badRequest {
        throw PromptRequest.refused("invalid_json", "The request cannot be read", failure.message)
    }
    return try PromptRequest(
        body, byteCount: request.bodyByteCount, nodeLimit: server.options.nodeLimit)
}

// MARK: Queue

private func addQueue(to routes: inout RouteTable, _ queue: PromptQueue) {
    routes.get(
        "/queue",
        RouteDescription(
            "The prompts that run and wait: [number, id, prompt, extra_data, outputs].", tag: "prompts",
            answers: [
                .init(
                    200, "Two lists.",
                    .json(
                        .members([
                            "queue_running": .list(of: .type("array")), "queue_pending": .list(of: .type("array")),
                        ])))
            ])
    ) { _ in
        let items = queue.items
        return list([("{\"queue_running\": [", items.running), ("], \"queue_pending\": [", items.waiting)], "]}")
    }
    routes.post("/queue", changes("Takes prompts out of the queue; those that run go on.")) { request in
        let body = try await request.jsonObject(upTo: ServerRequest.smallBody)
        if body["clear"]?.boolValue == true { try await queue.delete(nil) }
        if let ids = try ids(body) { try await queue.delete(ids) }
        return .empty()
    }
}

/// Lists of texts that are there already, written piece by piece: a client that does not read holds none of them twice.
private func list(_ parts: [(head: String, items: [ByteBuffer])], _ end: String) -> Response {
    Response(
        status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
        body: ResponseBody { writer in
            var text = ByteBuffer()
            for part in parts {
                text.writeString(part.head)
                for (index, item) in part.items.enumerated() {
                    if index > 0 { text.writeString(", ") }
                    if item.readableBytes < 16384 {
                        text.writeImmutableBuffer(item)
                    } else {
                        try await writer.write(text)
                        try await writer.write(item)
                        text = ByteBuffer()
                    }
                    if text.readableBytes > 1 << 16 {
                        try await writer.write(text)
                        text = ByteBuffer()
                    }
                }
            }
            text.writeString(end)
            try await writer.write(text)
            try await writer.finish(nil)
        })
}

/// A route that takes `{clear, delete}`.
private func changes(_ summary: String) -> RouteDescription {
    RouteDescription(
        summary, tag: "prompts",
        body: [
            .json(.members(["clear": .type("boolean"), "delete": .list(of: .type("string"))]))
        ],
        answers: [.init(200, "Done. Unknown ids are ignored."), .init(400, "The body is not such an object.", .text)])
}

private func ids(_ body: JSONObject) throws(HTTPFailure) -> [String]? {
    switch body["delete"] {
    case nil, .null?: return nil
    case .array(let items)?:
        // The whole queue or history is named by `clear`.
        guard items.count <= 10_000 else {
            throw HTTPFailure(.badRequest, "delete has \(items.count) ids, expected at most 10000 at once")
        }
        return items.compactMap { $0.stringValue ?? $0.intValue.map(String.init) }
    case .some(let other): throw HTTPFailure(.badRequest, "delete is \(other.kind), expected a list of ids")
    }
}

// MARK: History

private func addHistory(to routes: inout RouteTable, _ store: PromptStore) {
    let number = JSON.type("integer")
    routes.get(
        "/history",
        RouteDescription(
            "The prompts that have ended, oldest first.", tag: "prompts",
            parameters: [
                .init("max_items", "How many.", schema: number),
                .init("offset", "How many of the oldest to leave out; the last ones if absent.", schema: number),
            ],
            answers: [.init(200, "Records by prompt id.", .object), .init(400, "A parameter is no number.", .text)])
    ) { request in
        let count = try integer(request, "max_items")
        let offset = try integer(request, "offset") ?? -1
        let sequences = try await store.sequences(count: count.map { max(0, $0) }, offset: offset)
        return history(sequences, store)
    }
    routes.get(
        "/history/{id}",
        RouteDescription(
            "One prompt that has ended.", tag: "prompts",
            parameters: [.init("id", in: .path, "The prompt's id.")],
            answers: [.init(200, "Its record under its id, or nothing.", .object)])
    ) { request in
        let id = request.parameter("id")
        guard let record = try await store.record(id) else { return .json(.object(JSONObject())) }
        return .json(bytes: ByteBuffer(string: "{" + JSON.string(id).text(.compact) + ": " + record + "}"))
    }
    routes.post("/history", changes("Forgets prompts that have ended.")) { request in
        let body = try await request.jsonObject(upTo: ServerRequest.smallBody)
        if body["clear"]?.boolValue == true { try await store.removeHistory(nil) }
        if let ids = try ids(body) { try await store.removeHistory(ids) }
        return .empty()
    }
}

private func integer(_ request: ServerRequest, _ name: String) throws(HTTPFailure) -> Int? {
    guard let text = request.query[name], !text.isEmpty else { return nil }
    guard let value = Int(text) else {
        throw HTTPFailure(.badRequest, "\(name) is \"\(shortened(text))\", expected an integer")
    }
    return value
}

/// Written piece by piece: a whole history may be hundreds of megabytes.
private func history(_ sequences: [Int64], _ store: PromptStore) -> Response {
    Response(
        status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
        body: ResponseBody { writer in
            try await writer.write(ByteBuffer(string: "{"))
            var isFirst = true
            for start in stride(from: 0, to: sequences.count, by: 64) {
                let members = try await store.members(sequences[start..<min(start + 64, sequences.count)])
                guard !members.isEmpty else { continue }
                try await writer.write(
                    ByteBuffer(string: (isFirst ? "" : ", ") + members.joined(separator: ", ")))
                isFirst = false
            }
            try await writer.write(ByteBuffer(string: "}"))
            try await writer.finish(nil)
        })
}

// MARK: Control

private func addControl(to routes: inout RouteTable, _ queue: PromptQueue) {
    routes.post(
        "/interrupt",
        RouteDescription(
            "Stops what runs, or one prompt if it runs.", tag: "prompts",
            body: [.json(.members(["prompt_id": .type("string")]))], bodyIsRequired: false,
            answers: [.init(200, "Asked to stop.")])
    ) { request in
        // What is not understood means: whatever runs (server-api.md §4).
        let body: JSON?
        do {
            body = try await request.json(upTo: ServerRequest.smallBody)
        } catch let failure as HTTPFailure where failure.status == .badRequest {
            body = nil
        }
        if let id = body?["prompt_id"], !id.isNull {
            queue.interrupt(id.stringValue ?? id.text(.compact))
        } else {
            queue.interrupt(nil)
        }
        return .empty()
    }
    routes.post(
        "/free",
        RouteDescription(
            "Drops what is kept in memory, between prompts.", tag: "prompts",
            body: [
                .json(.members(["unload_models": .type("boolean"), "free_memory": .type("boolean")]))
            ], answers: [.init(200, "It will be done."), .init(400, "The body is not such an object.", .text)])
    ) { request in
        let body = try await request.jsonObject(upTo: ServerRequest.smallBody)
        await queue.free(
            models: body["unload_models"]?.boolValue ?? false, results: body["free_memory"]?.boolValue ?? false)
        return .empty()
    }
}
