import Engine
import JSON
import Synchronization

/// Turns the events of one run into messages to its client, and into what the history keeps of it.
final class RunMessages: Sendable {
    private struct State {
        var nodes = NodeStates()
        /// The node that was last said to execute.
        var last: NodeIdentity?
        var shown: [String: NodeIdentity] = [:]
        var history: [JSON] = []
        var lastProgress: [String: ContinuousClock.Instant] = [:]
        var lastState: ContinuousClock.Instant?
        var stateIsDue = false
    }

    /// Progress goes out no more often than this.
    private static let interval = Duration.milliseconds(40)

    private let id: String
    let audience: RunAudience
    private let previews: PreviewFrames
    private let state = Mutex(State())

    init(_ prompt: QueuedPrompt, _ sockets: SocketHub) {
        id = prompt.id
        audience = RunAudience(clientID: prompt.clientID, sockets: sockets)
        previews = PreviewFrames(promptID: prompt.id, audience)
    }

    /// Takes an event of the engine; called by one thread at a time.
    func observe(_ event: EngineEvent) {
        switch event.kind {
        case .executionStart, .executionCached:
            keep(event)
            send(event.name, event.data)
        case .executing(let node):
            state.withLock { state in
                state.last = node
                state.nodes.set(node.id, NodeStates.Progress(node: node))
            }
            sendState(isStep: false)
            send(event.name, event.data)
        case .progress(let node, let done, let total): progress(node, done, total, event)
        case .resumed(let node, let done, let total): progress(node, Double(done), Double(total), nil)
        case .executed(let node, _):
            let isNew = state.withLock { state in
                state.shown[node.id] = node
                // The result of a cached node: it was never said to execute.
                guard state.nodes[node.id] == nil else { return false }
                state.nodes.set(node.id, NodeStates.Progress(node: node, value: 1, isFinished: true))
                return true
            }
            send(event.name, event.data)
            if isNew { sendState(isStep: false) }
        case .nodeFinished(let node, _):
            state.withLock { state in
                var known = state.nodes[node.id] ?? NodeStates.Progress(node: node)
                known.isFinished = true
                known.value = known.maximum
                state.nodes.set(node.id, known)
                state.lastProgress[node.id] = nil
            }
            sendState(isStep: false)
        case .preview(let node, let preview): previews.add(node, preview)
        case .executionBlocked: send(event.name, event.data)
        case .warning: break
        case .executionSuccess, .executionError:
            flush()
            keep(event)
            send(event.name, finalData(event))
        case .executionInterrupted:
            flush()
            keep(event)
            let message = SocketMessage(event.name, event.data)
            if audience.clientID == nil { audience.sockets.broadcast(message) } else { audience.send(message) }
        }
    }

    private func progress(_ node: NodeIdentity, _ done: Double, _ total: Double, _ event: EngineEvent?) {
        let isSent = state.withLock { state in
            var known = state.nodes[node.id] ?? NodeStates.Progress(node: node)
            known.value = done
            known.maximum = total
            state.nodes.set(node.id, known)
            let now = ContinuousClock.now
            if let last = state.lastProgress[node.id], done < total, now - last < Self.interval { return false }
            state.lastProgress[node.id] = now
            return true
        }
        guard isSent, !audience.isEmpty else { return }
        sendState(isStep: true)
        if let event {
            audience.send(SocketMessage(event.name, event.data, slot: .progress(prompt: id, node: node.id)))
        }
    }

    private func finalData(_ event: EngineEvent) -> JSONObject {
        var data = event.data
        // The reference ends the text with a line for tips.
        if case .executionError = event.kind, let text = data["exception_message"]?.stringValue {
            data["exception_message"] = .string(text + "\n")
        }
        return data
    }

    private func keep(_ event: EngineEvent) {
        let entry = JSON.array([.string(event.name), .object(finalData(event))])
        state.withLock { $0.history.append(entry) }
    }

    private func send(_ type: String, _ data: JSONObject) {
        audience.send(SocketMessage(type, data))
    }

    // MARK: progress_state

    /// - Parameter isStep: progress inside a node, which may be left out when there was some just before.
    private func sendState(isStep: Bool) {
        guard !audience.isEmpty else { return }
        let next = state.withLock { state -> (data: JSONObject, hasMany: Bool)? in
            let now = ContinuousClock.now
            let hasMany = state.nodes.hasMany
            let isFree = state.lastState.map { now - $0 >= Self.interval } ?? true
            guard isFree || (!isStep && !hasMany) else {
                state.stateIsDue = true
                return nil
            }
            state.lastState = now
            state.stateIsDue = false
            return (state.nodes.message(of: id), hasMany)
        }
        guard let next else { return }
        // Every state of a few nodes arrives, also at a slow client; of many the latest.
        sendState(next.data, mayBeMerged: isStep || next.hasMany)
    }

    private func sendState(_ data: JSONObject, mayBeMerged: Bool) {
        audience.send(SocketMessage("progress_state", data, slot: mayBeMerged ? .progressState(prompt: id) : nil))
    }

    /// Sends what was left out.
    private func flush() {
        let data = state.withLock { state -> JSONObject? in
            defer { state.stateIsDue = false }
            return state.stateIsDue ? state.nodes.message(of: id) : nil
        }
        if let data { sendState(data, mayBeMerged: false) }
    }

    // MARK: What others ask

    /// What a client that connects in the middle of the run is told.
    var present: [SocketMessage] {
        state.withLock { state in
            guard let last = state.last else { return [] }
            let executing: JSONObject = [
                "node": .string(last.id), "display_node": .string(last.displayID), "prompt_id": .string(id),
            ]
            return [
                SocketMessage("progress_state", state.nodes.overview(of: id), slot: .progressState(prompt: id)),
                SocketMessage("executing", executing),
            ]
        }
    }

    /// The `messages` of the history's status.
    var history: [JSON] { state.withLock { $0.history } }

    /// The `meta` of the history: who showed what.
    func meta(_ nodes: [String]) -> JSONObject {
        let shown = state.withLock { $0.shown }
        var meta = JSONObject()
        for id in nodes {
            let node = shown[id] ?? NodeIdentity(id)
            meta[id] = .object([
                "node_id": .string(id), "display_node": .string(node.displayID),
                "parent_node": node.parentID.map { .string($0) } ?? .null, "real_node_id": .string(node.realID),
            ])
        }
        return meta
    }
}
