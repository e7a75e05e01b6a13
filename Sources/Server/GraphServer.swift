import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// ComfyUI's HTTP and WebSocket API (server-api.md) over one engine.
public final class GraphServer: Sendable {
    private struct State {
        var ports: [Int] = []
        var isEnding = false
        var queue: PromptQueue?
        var onEnd: (@Sendable () -> Void)?
    }

    public let context: ServerContext
    private let certificate: ServerCertificate?
    private let state = Mutex(State())

    /// - Throws: ``ServeError`` for options that are not safe, or name what cannot be used.
    public init(_ options: ServeOptions, _ parts: ServerParts) throws {
        try Self.checkSafety(options)
        for url in options.webhooks { _ = try WebhookTarget(url) }
        context = ServerContext(options, parts)
        certificate = try options.tls.map { [log = context.log] in try ServerCertificate($0, log) }
    }

    /// Who can reach the server can run anything that nodes can do.
    static func checkSafety(_ options: ServeOptions) throws(ServeError) {
        guard !options.addresses.isEmpty else { throw ServeError("--listen: no address is given") }
        if let token = options.token {
            guard token.utf8.count >= 8, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3B }) else {
                throw ServeError("--token: expected at least 8 printable ASCII characters without blanks and \";\"")
            }
            return
        }
        if let open = options.addresses.first(where: { !HostName.isLoopback($0) }), !options.listensUnprotected {
            throw ServeError(
                "--listen \(open): other machines could use this server without a token; give --token SECRET (or "
                    + "GRAPHRUN_TOKEN in the environment), or say --listen-unprotected if something else keeps others out"
            )
        }
    }

    /// Serves until ``stop()``.
    ///
    /// - Parameter onListening: called with the ports once requests are taken.
    /// - Throws: ``ServeError`` when an address cannot be listened at.
    public func run(onListening: @escaping @Sendable (_ ports: [Int]) -> Void = { _ in }) async throws {
        let options = context.options
        let store = try PromptStore.open(options, context.log)
        defer { store.close() }
        await store.adoptLeftPrompts(options, context.log)
        let webhooks = try Webhooks(context, store)
        let queue = PromptQueue(context, store)
        try await queue.restore()
        state.withLock { $0.queue = queue }
        context.sockets.greet({ queue.greeting($0) }, overview: { queue.overview })
        var routes = RouteTable()
        addCoreRoutes(to: &routes, context, queue)
        addPromptRoutes(to: &routes, context, queue, store)
        addNodeRoutes(to: &routes, context)
        addFileRoutes(to: &routes, context)
        let upgrade = SocketUpgrade(guardian: RequestGuard(options), hub: context.sockets, options: options)
        let connections = Connections(
            options, certificate, upgrade, RequestResponder(options, routes, context.log, context.metrics))
        let group = MultiThreadedEventLoopGroup.singleton
        let mostConnections = min(options.connectionLimit, DescriptorLimit.raise())
        let logger = Logger(label: "graphrun") { _ in SilentLogHandler() }
        let listening = AsyncStream<Int>.makeStream()
        let servers = options.addresses.map { address in
            Server(
                childChannelSetup: connections,
                configuration: ServerConfiguration(
                    address: .hostname(address, port: options.port), backlog: 1024, reuseAddress: true,
                    availableConnectionsDelegate: MaximumAvailableConnections(mostConnections, logger: logger)),
                onServerRunning: { channel in
                    listening.continuation.yield(channel.localAddress?.port ?? options.port)
                }, eventLoopGroup: group, logger: logger)
        }
        defer { state.withLock { $0.queue = nil } }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for (server, address) in zip(servers, options.addresses) {
                tasks.addTask {
                    do {
                        try await server.run()
                    } catch {
                        throw ServeError("cannot listen at \(address), port \(options.port): \(error)")
                    }
                }
            }
            tasks.addTask { [self] in
                var ports: [Int] = []
                for await port in listening.stream {
                    ports.append(port)
                    if ports.count == servers.count { break }
                }
                guard ports.count == servers.count else { return }
                state.withLock { $0.ports = ports }
                onListening(ports)
                // What takes a while is made while nobody waits for it.
                let registry = await context.nodes.registry
                await onThread { [context] in _ = context.objectInfo.all(registry, context.files) }
                await webhooks.sendLeft()
                do {
                    _ = try await context.nodes.engine
                } catch {
                    context.log.error("the backend cannot be made: \(error)")
                }
            }
            tasks.addTask { [self] in
                await untilEnding()
                queue.refuse()
            }
            tasks.addTask { [context] in
                let worker = PromptWorker(server: context, queue: queue, webhooks: webhooks)
                await withDiscardingTaskGroup { workers in
                    for _ in 0..<max(1, context.options.workers) { workers.addTask { await worker.run() } }
                }
                // The workers have finished what ran, and begin nothing more: the server ends.
                await webhooks.settle()
                for server in servers { try? await server.shutdownGracefully() }
            }
            // The first error, or all servers at their end.
            do {
                while try await tasks.next() != nil {}
            } catch {
                listening.continuation.finish()
                stop()
                tasks.cancelAll()
                throw error
            }
        }
    }

    /// The ports that are listened at; empty before.
    public var ports: [Int] { state.withLock { $0.ports } }

    /// Ends ``run(onListening:)`` when the prompts that run have ended; new ones are refused from now on, and those that
    /// wait are left for the next server.
    public func drain() {
        state.withLock { $0.queue }?.refuse()
        end()
    }

    /// Ends ``run(onListening:)`` soon: stops the prompts that run, which are run again by the next server.
    public func stop() {
        let queue = state.withLock { $0.queue }
        queue?.refuse()
        queue?.abandon()
        end()
    }

    private func end() {
        let action = state.withLock { state in
            state.isEnding = true
            defer { state.onEnd = nil }
            return state.onEnd
        }
        action?()
    }

    private func untilEnding() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isEnding = state.withLock { state in
                if !state.isEnding { state.onEnd = { continuation.resume() } }
                return state.isEnding
            }
            if isEnding { continuation.resume() }
        }
    }
}
