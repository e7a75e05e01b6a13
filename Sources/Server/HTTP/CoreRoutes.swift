import HTTPTypes
import HummingbirdCore
import JSON
import NIOCore

/// What every server answers: what it can do, and whether it is there.
func addCoreRoutes(to routes: inout RouteTable, _ server: ServerContext, _ queue: PromptQueue) {
    routes.get(
        "/features",
        RouteDescription("The server's feature flags.", tag: "server", answers: [.init(200, "Flags by name.", .object)])
    ) { [features = JSON.object(ServerContext.features(server.options))] _ in .json(features) }
    routes.get(
        "/health",
        RouteDescription(
            "Whether the process lives. Needs no token.", tag: "server", answers: [.init(200, "It does.", .object)])
    ) { _ in .json(.object(["status": .string("ok")])) }
    routes.get(
        "/ready",
        RouteDescription(
            "Whether prompts are taken and run. Needs no token.", tag: "server",
            answers: [.init(200, "They are.", .object), .init(503, "Not yet, or not any more.", .object)])
    ) { _ in
        let status = queue.isDraining ? "ending" : server.nodes.isReady ? "ready" : "starting"
        return .json(
            .object(["status": .string(status)]), status: status == "ready" ? .ok : .serviceUnavailable)
    }
    routes.get(
        "/metrics",
        RouteDescription(
            "Counters for Prometheus.", tag: "server", answers: [.init(200, "Its text format.", .text)])
    ) { _ in
        let history = try await queue.historySize
        let text = MetricsText.text(server, queue.counts, history, engine: server.nodes.known)
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
    routes.get(
        "/ws",
        RouteDescription(
            "The WebSocket of a client: status, progress, previews (server-api.md §11).", tag: "server",
            parameters: [.init("clientId", "The client's id; the server makes one if absent.")],
            answers: [
                .init(101, "What follows are WebSocket frames."),
                .init(400, "The request did not ask for a WebSocket.", .text),
            ])
    ) { _ in throw HTTPFailure(.badRequest, "this is a WebSocket: connect with Upgrade: websocket") }
}
