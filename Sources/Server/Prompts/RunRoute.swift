import HTTPTypes
import HummingbirdCore
import JSON

/// `POST /run`: takes a prompt and answers when it has ended.
func addRun(to routes: inout RouteTable, _ server: ServerContext, _ queue: PromptQueue) {
    routes.post(
        "/run",
        RouteDescription(
            "Runs a prompt and answers when it has ended.", tag: "prompts",
            parameters: [
                .init(
                    "timeout", "Seconds to wait; the prompt goes on after them.",
                    schema: .object(["type": .string("number"), "minimum": .int(0), "maximum": .int(86400)]))
            ], body: [promptBody],
            answers: [
                .init(200, "It has run: outputs by node.", .object),
                .init(202, "It has not ended in time; look for it in the history.", .object),
                .init(409, "It was interrupted or deleted.", .object),
                .init(422, "A node failed.", .object),
            ] + promptRefusals)
    ) { request in
        let parsed = try await readPrompt(request, server)
        let seconds = try timeout(request.query["timeout"])
        var outcomes: AsyncStream<PromptOutcome>?
        let (prompt, nodeErrors) = try await server.accept(parsed, queue) {
            outcomes = queue.observers.outcome(of: $0.id)
        }
        var answer: JSONObject = [
            "prompt_id": .string(prompt.id), "number": prompt.number, "node_errors": nodeErrors,
        ]
        guard let outcomes, let outcome = await first(of: outcomes, within: seconds) else {
            if queue.isDraining, queue.running(prompt.id) == nil {
                throw HTTPFailure.structured(
                    .serviceUnavailable, type: "server_ending", "The server is ending",
                    details: "the next server runs the prompt; look for it in the history",
                    extraInfo: ["prompt_id": .string(prompt.id)], headers: [.retryAfter: "5"])
            }
            answer["status"] = .string("running")
            return .json(.object(answer), status: .accepted)
        }
        answer["status"] = .string(outcome.status.rawValue)
        answer["seconds"] = .double(outcome.duration.seconds)
        answer["outputs"] = outcome.record["outputs"] ?? .object(JSONObject())
        answer["messages"] = outcome.record["status"]?["messages"] ?? .array([])
        let status: HTTPResponse.Status =
            switch outcome.status {
            case .success: .ok
            case .error: .unprocessableContent
            case .interrupted, .deleted: .conflict
            }
        return .json(.object(answer), status: status)
    }
}

private func timeout(_ text: String?) throws(HTTPFailure) -> Double? {
    guard let text else { return nil }
    guard let seconds = Double(text), (0...86400).contains(seconds) else {
        throw HTTPFailure(.badRequest, "timeout is \"\(shortened(text))\", expected seconds from 0 to 86400")
    }
    return seconds
}

/// The first value of a stream; `nil` when it does not come in time.
private func first(of stream: AsyncStream<PromptOutcome>, within seconds: Double?) async -> PromptOutcome? {
    await withTaskGroup(of: PromptOutcome?.self) { group in
        group.addTask {
            for await outcome in stream { return outcome }
            return nil
        }
        if let seconds {
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                return nil
            }
        }
        defer { group.cancelAll() }
        return await group.next() ?? nil
    }
}
