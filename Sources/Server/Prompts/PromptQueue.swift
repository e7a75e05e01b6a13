import Engine
import HTTPTypes
import JSON
import NIOCore
import Synchronization

/// The prompts of a server: which wait, which run, and who wants to know how they end.
final class PromptQueue: Sendable {
    struct Running: Sendable {
        var prompt: QueuedPrompt
        var control: RunControl
        /// What a client that connects anew is told.
        var messages: RunMessages
    }

    private struct State {
        /// In the order in which they run.
        var waiting: [QueuedPrompt] = []
        var running: [ByteKey: Running] = [:]
        /// Prompts on their way to the disk.
        var arriving = 0
        var counter: Int64 = 0
        /// What the waiting prompts take.
        var byteCount = 0
        var isDraining = false
        var isAbandoned = false
        var workers: [CheckedContinuation<QueuedPrompt?, Never>] = []
        var freesModels = false
        var freesResults = false
    }

    /// What the waiting prompts may take together, beside a first one that is larger.
    private static let byteLimit = 256 << 20

    private let server: ServerContext
    private let limit: Int
    private let state = Mutex(State())
    private let store: PromptStore
    /// Who waits for the ends of prompts.
    let observers = PromptObservers()
    private let statuses = Mutex<StatusBroadcast?>(nil)

    init(_ server: ServerContext, _ store: PromptStore) {
        self.server = server
        self.store = store
        limit = server.options.queueLimit
        let broadcast = StatusBroadcast { [weak self] in
            guard let self else { return }
            self.server.sockets.broadcast(statusMessage)
        }
        statuses.withLock { $0 = broadcast }
    }

    // MARK: Arriving

    /// Takes up what an earlier process left.
    func restore() async throws {
        let left = try await store.left()
        state.withLock { state in
            state.counter = left.nextNumber
            state.byteCount = left.prompts.reduce(0) { $0 + $1.byteCount }
            state.waiting = left.prompts.sorted(by: QueuedPrompt.comesBefore)
            for index in state.waiting.indices { state.waiting[index].writeItem() }
        }
        if !left.prompts.isEmpty {
            server.log.note("\(left.prompts.count) prompts of an earlier run of the server are in the queue")
        }
        wake()
    }

    /// The number that the next prompt gets; every request that is understood and brings none uses
    /// one up (engine-semantics.md §2).
    func nextNumber() -> Int64 {
        state.withLock { state in
            defer { state.counter &+= 1 }
            return state.counter
        }
    }

    /// Whether another prompt may come: before the work of checking it.
    ///
    /// - Throws: ``HTTPFailure`` 429 or 503.
    func checkRoom() throws(HTTPFailure) {
        let (isDraining, isFull) = state.withLock { ($0.isDraining, $0.waiting.count + $0.arriving >= limit) }
        if isDraining { throw Self.ending }
        if isFull { throw full }
    }

    static let ending = HTTPFailure.structured(
        .serviceUnavailable, type: "server_ending", "The server is ending and takes no more prompts",
        details: "send the prompt to the next one", headers: [.retryAfter: "5"])

    private var full: HTTPFailure {
        .structured(
            .tooManyRequests, type: "queue_full", "The queue is full", details: "\(limit) prompts wait already",
            headers: [.retryAfter: "1"])
    }

    /// Takes a prompt; it is on disk when this returns.
    ///
    /// - Throws: ``HTTPFailure`` when there is no room, or the id is in use.
    func add(_ prompt: QueuedPrompt) async throws {
        let room = state.withLock { state -> HTTPFailure? in
            if state.isDraining { return Self.ending }
            if state.waiting.count + state.arriving >= limit { return full }
            if state.byteCount + prompt.byteCount > Self.byteLimit, !state.waiting.isEmpty { return full }
            state.arriving += 1
            state.byteCount += prompt.byteCount
            return nil
        }
        if let room { throw room }
        let sequence: Int64?
        do {
            sequence = try await store.add(prompt, nextNumber: state.withLock { $0.counter })
        } catch {
            giveBack(prompt)
            server.log.error("prompt \(shortened(prompt.id)) cannot be kept: \(error)")
            throw HTTPFailure.structured(
                HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"), type: "storage_failed",
                "The prompt cannot be kept, so it was not taken",
                details: String(describing: error), headers: [.retryAfter: "30"])
        }
        guard let sequence else {
            giveBack(prompt)
            throw HTTPFailure.structured(
                .badRequest, type: "duplicate_prompt_id", "There is a prompt with this id already",
                details: "prompt_id \"\(shortened(prompt.id))\"", extraInfo: ["prompt_id": .string(prompt.id)])
        }
        var prompt = prompt
        prompt.sequence = sequence
        prompt.writeItem()
        let isLeft = state.withLock { state in
            state.arriving -= 1
            insert(prompt, &state)
            return state.isDraining
        }
        // It was taken just before the server began to end.
        if isLeft { observers.leave(prompt.id) }
        tellStatus(prompt)
        wake()
    }

    /// The room of a prompt that was not taken.
    private func giveBack(_ prompt: QueuedPrompt) {
        state.withLock { state in
            state.arriving -= 1
            state.byteCount -= prompt.byteCount
        }
    }

    private func insert(_ prompt: QueuedPrompt, _ state: inout State) {
        var (low, high) = (0, state.waiting.count)
        while low < high {
            let middle = (low + high) / 2
            if QueuedPrompt.comesBefore(prompt, state.waiting[middle]) { high = middle } else { low = middle + 1 }
        }
        state.waiting.insert(prompt, at: low)
    }

    // MARK: Running

    /// The next prompt for a worker; `nil` when there will be none.
    func next() async -> QueuedPrompt? {
        await withCheckedContinuation { continuation in
            state.withLock { $0.workers.append(continuation) }
            wake()
        }
    }

    /// Gives waiting prompts to idle workers.
    private func wake() {
        while true {
            let pair = state.withLock { state -> (CheckedContinuation<QueuedPrompt?, Never>, QueuedPrompt?)? in
                guard !state.workers.isEmpty else { return nil }
                if state.isDraining { return (state.workers.removeFirst(), nil) }
                guard !state.waiting.isEmpty else { return nil }
                let prompt = state.waiting.removeFirst()
                state.byteCount -= prompt.byteCount
                state.running[ByteKey(prompt.id)] = Running(
                    prompt: prompt, control: RunControl(), messages: RunMessages(prompt, server.sockets))
                return (state.workers.removeFirst(), prompt)
            }
            guard let (worker, prompt) = pair else { return }
            worker.resume(returning: prompt)
        }
    }

    /// What belongs to a prompt that runs.
    func running(_ id: String) -> Running? { state.withLock { $0.running[ByteKey(id)] } }

    func begin(_ prompt: QueuedPrompt) async throws {
        try await store.begin(prompt.id)
        tellStatus(prompt)
    }

    /// A prompt has ended: history first, then everybody hears of it (engine-semantics.md §15).
    ///
    /// - Parameter announcements: kept together with the history entry.
    /// - Returns: whether it has ended; otherwise the next server runs it again.
    func finish(
        _ prompt: QueuedPrompt, _ outcome: PromptOutcome, _ announcements: [Announcement]
    ) async -> Bool {
        // What was stopped because the server ends stays in the queue.
        let isLeft = outcome.status == .interrupted && state.withLock { $0.isAbandoned }
        if !isLeft {
            await keep(prompt, outcome, announcements)
        }

        state.withLock { $0.running[ByteKey(prompt.id)] = nil }
        if isLeft { observers.leave(prompt.id) } else { observers.tell(outcome) }
        await freeIfAsked()
        tellStatus(prompt)
        RunAudience(clientID: prompt.clientID, sockets: server.sockets)
            .send(SocketMessage("executing", ["node": .null, "prompt_id": .string(prompt.id)]))
        return !isLeft
    }

    private func keep(_ prompt: QueuedPrompt, _ outcome: PromptOutcome, _ announcements: [Announcement]) async {
        do {
            try await store.finish(prompt, outcome.record, announcements)
        } catch {
            server.log.error("the history entry of prompt \(shortened(prompt.id)) cannot be written: \(error)")
        }
    }

    // MARK: Control

    /// Stops what runs, or one prompt if it runs.
    func interrupt(_ id: String?) {
        let controls = state.withLock { state in
            if let id { return state.running[ByteKey(id)].map { [$0.control] } ?? [] }
            return state.running.values.map(\.control)
        }
        for control in controls { control.cancel() }
    }

    /// Takes prompts out of the queue; `nil` means all. Those that run go on.
    func delete(_ ids: [String]?) async throws {
        let wanted = ids.map { Set($0.map(ByteKey.init)) }
        let removed = state.withLock { state in
            let removed = state.waiting.filter { wanted?.contains(ByteKey($0.id)) ?? true }
            if !removed.isEmpty { state.waiting.removeAll { wanted?.contains(ByteKey($0.id)) ?? true } }
            state.byteCount -= removed.reduce(0) { $0 + $1.byteCount }
            return removed.map(\.id)
        }
        guard !removed.isEmpty else { return }
        try await store.remove(removed)
        for id in removed {
            observers.tell(PromptOutcome(id: id, status: .deleted, record: JSONObject(), duration: .zero))
        }
        tellStatus()
    }

    /// Drops what is kept in memory: at once when nothing runs, else after the prompt that runs.
    func free(models: Bool, results: Bool) async {
        let isIdle = state.withLock { state in
            state.freesModels = state.freesModels || models
            state.freesResults = state.freesResults || results
            return state.running.isEmpty
        }
        if isIdle { await freeIfAsked() }
    }

    private func freeIfAsked() async {
        let (models, results) = state.withLock { state in
            defer { (state.freesModels, state.freesResults) = (false, false) }
            return (state.freesModels, state.freesResults)
        }
        guard models || results, let engine = try? await server.nodes.engine else { return }
        if results { engine.cache.removeAll() } else { engine.cache.removeModels() }
    }

    /// From now on no prompt begins, and none is taken. Who waits for one that waits hears that it is left to the next
    /// server.
    func refuse() {
        let left = state.withLock { state in
            state.isDraining = true
            return state.waiting.map(\.id)
        }
        for id in left { observers.leave(id) }
        wake()
    }

    /// Stops what runs, without an end: the next server runs it again.
    func abandon() {
        let controls = state.withLock { state in
            state.isAbandoned = true
            return state.running.values.map(\.control)
        }
        for control in controls { control.cancel() }
    }

    // MARK: What others see

    /// Entries of the history, and their bytes.
    var historySize: (count: Int, bytes: Int) { store.historySize }

    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Running and waiting prompts.
    var remaining: Int { state.withLock { $0.waiting.count + $0.running.count } }

    var counts: (waiting: Int, running: Int) { state.withLock { ($0.waiting.count, $0.running.count) } }

    /// The items of `GET /queue`, as texts.
    var items: (running: [ByteBuffer], waiting: [ByteBuffer]) {
        state.withLock { state in
            (
                state.running.values.map(\.prompt).sorted(by: QueuedPrompt.comesBefore).map(\.itemText),
                state.waiting.map(\.itemText)
            )
        }
    }

    /// `{exec_info: {queue_remaining}}`.
    var status: JSONObject { ["exec_info": .object(["queue_remaining": .int(Int64(remaining))])] }

    private var statusMessage: SocketMessage {
        SocketMessage("status", ["status": .object(status)], slot: .status)
    }

    /// Everybody hears of the queue's length soon; the client whose prompt changed it at once.
    private func tellStatus(_ prompt: QueuedPrompt? = nil) {
        if let client = prompt?.clientID { server.sockets.send(statusMessage, to: client) }
        statuses.withLock { $0 }?.changed()
    }

    /// What somebody hears who begins to watch all runs.
    var overview: [SocketMessage] {
        state.withLock { Array($0.running.values) }.flatMap(\.messages.present)
    }

    /// What a client hears when it connects (server-api.md §11): also how far its prompt is.
    func greeting(_ clientID: String) -> [SocketMessage] {
        var messages = [SocketMessage("status", ["status": .object(status), "sid": .string(clientID)])]
        let own = state.withLock { $0.running.values.filter { $0.prompt.clientID == clientID } }
        for running in own { messages += running.messages.present }
        return messages
    }
}
