import Engine
import JSON
import NodeKit
import Workflow

/// Runs the prompts of the queue, one after the other.
struct PromptWorker: Sendable {
    let server: ServerContext
    let queue: PromptQueue
    let webhooks: Webhooks

    /// A prompt that the process did not survive this often is given up.
    private static let mostAttempts = 5

    /// Until the queue says that there will be no more.
    func run() async {
        while let prompt = await queue.next() {
            guard let running = queue.running(prompt.id) else { continue }
            let start = ContinuousClock.now
            do {
                try await queue.begin(prompt)
            } catch {
                server.log.error("prompt \(shortened(prompt.id)): \(error)")
            }
            var outcome = await run(prompt, running)
            outcome.duration = start.duration(to: .now)
            let announcements = webhooks.announcements(of: outcome)
            guard await queue.finish(prompt, outcome, announcements) else { continue }
            server.metrics.prompt(outcome.status.rawValue, outcome.duration)
            webhooks.send(announcements)
        }
    }

    private func run(_ prompt: QueuedPrompt, _ running: PromptQueue.Running) async -> PromptOutcome {
        let messages = running.messages
        guard prompt.attempts < Self.mostAttempts else {
            let times = prompt.attempts
            return failed(
                prompt, messages, "the server ended \(times) times while this prompt ran; it is not run again")
        }
        let engine: GraphEngine
        do {
            engine = try await server.nodes.engine
        } catch {
            return failed(prompt, messages, String(describing: error))
        }
        let validated: ValidatedPrompt
        switch await check(prompt, engine) {
        case .success(let checked): validated = checked
        case .failure(let fault): return failed(prompt, messages, fault.description)
        }
        var options = RunOptions(
            promptID: prompt.id, control: running.control,
            extraPNGInfo: prompt.extraData["extra_pnginfo"]?.objectValue ?? JSONObject(),
            parallelNodes: server.options.parallelNodes, workingMemory: server.options.workingMemory)
        options.embedsWorkflow = server.options.embedsWorkflow
        // A client that is away may come back in the middle.
        if prompt.clientID != nil || !messages.audience.isEmpty {
            options.previews = PreviewOptions(method: server.options.previewMethod, size: server.options.previewSize)
        }
        let result = await engine.run(validated, options: options) { [log = server.log] event in
            if case .warning(let node, let text) = event.kind {
                log.note("warning: " + (node.map { "node \($0): " } ?? "") + text)
            }
            messages.observe(event)
        }
        let status: PromptOutcome.Status =
            switch result.status {
            case .success: .success
            case .failed: .error
            case .interrupted: .interrupted
            }
        return outcome(prompt, messages, status, result.outputs)
    }

    /// A prompt that an earlier process left is checked again: files may have gone.
    private func check(_ prompt: QueuedPrompt, _ engine: GraphEngine) async -> Result<ValidatedPrompt, ServeError> {
        if let validated = prompt.validated { return .success(validated) }
        do {
            let report = await engine.validate(try Prompt(prompt.prompt), targets: prompt.targets)
            if let validated = report.validated { return .success(validated) }
            let reason = report.error.map { "\($0.message): \($0.details)" } ?? "nothing of it can run"
            return .failure(ServeError(reason))
        } catch {
            return .failure(ServeError(String(describing: error)))
        }
    }

    /// The end of a prompt that did not get as far as running.
    private func failed(_ prompt: QueuedPrompt, _ messages: RunMessages, _ reason: String) -> PromptOutcome {
        let failure = ExecutionFailure(
            nodeID: prompt.outputs.first ?? "", classType: "", title: "", message: reason, exceptionType: "ServerError",
            inputs: JSONObject(), executed: [])
        for kind in [EngineEvent.Kind.executionStart, .executionError(failure)] {
            messages.observe(EngineEvent(promptID: prompt.id, timestamp: milliseconds(), kind: kind))
        }
        return outcome(prompt, messages, .error, JSONObject())
    }

    /// The history's entry (engine-semantics.md §17).
    private func outcome(
        _ prompt: QueuedPrompt, _ messages: RunMessages, _ status: PromptOutcome.Status, _ outputs: JSONObject
    ) -> PromptOutcome {
        let ended: JSONObject = [
            "status_str": .string(status == .success ? "success" : "error"), "completed": .bool(status == .success),
            "messages": .array(messages.history),
        ]
        let record: JSONObject = [
            "prompt": prompt.item, "outputs": .object(outputs), "status": .object(ended),
            "meta": .object(messages.meta(outputs.keys)),
        ]
        return PromptOutcome(id: prompt.id, status: status, record: record, duration: .zero)
    }
}
