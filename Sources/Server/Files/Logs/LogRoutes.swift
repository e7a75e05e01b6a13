import HTTPTypes
import HummingbirdCore
import JSON
import Synchronization

/// The clients that want to see what the server says.
final class LogSubscribers: Sendable {
    private static let limit = 1000
    private let clients = Mutex<Set<String>>([])

    func set(_ client: String, isSubscribed: Bool, _ sockets: SocketHub) {
        clients.withLock { clients in
            guard isSubscribed else {
                clients.remove(client)
                return
            }
            if clients.count >= Self.limit { clients = clients.filter { sockets.isConnected($0) } }
            if clients.count < Self.limit { clients.insert(client) }
        }
    }

    func send(_ entry: ServerLog.Entry, _ sockets: SocketHub) {
        let clients = clients.withLock { $0 }
        guard !clients.isEmpty else { return }
        let message = SocketMessage(type: "logs", data: LogText.message([entry]))
        for client in clients { sockets.send(message, to: client) }
    }
}

/// The log as clients read it (server-api.md §10).
enum LogText {
    static func message(_ entries: [ServerLog.Entry]) -> JSONObject {
        [
            "entries": .array(
                entries.map { .object(["t": .string(time($0.time)), "m": .string($0.text + "\n")]) }),
            "size": .object(["cols": .int(80), "rows": .int(24)]),
        ]
    }

    static func whole(_ entries: [ServerLog.Entry]) -> String {
        entries.map { "\(time($0.time)) - \($0.text)\n" }.joined()
    }

    /// `2026-11-21T18:03:52.120000` in UTC.
    static func time(_ milliseconds: Int64) -> String {
        let total = Int(milliseconds)
        let day = total / 86_400_000
        let rest = total % 86_400_000
        let (year, month, date) = CivilDate.fromDays(day)
        func padded(_ number: Int, _ count: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, count - digits.count)) + digits
        }
        let seconds = rest / 1000
        return "\(year)-\(padded(month))-\(padded(date))T\(padded(seconds / 3600)):\(padded(seconds / 60 % 60)):"
            + "\(padded(seconds % 60)).\(padded(rest % 1000, 3))000"
    }
}

/// `/internal/logs` (server-api.md §10).
func addLogRoutes(to routes: inout RouteTable, _ server: ServerContext) {
    let subscribers = LogSubscribers()
    server.log.observe { [sockets = server.sockets] entry in subscribers.send(entry, sockets) }
    routes.get(
        "/internal/logs", reach: .bare,
        RouteDescription(
            "What the server has said.", tag: "internal", answers: [.init(200, "A text.", .json(.type("string")))])
    ) { _ in .json(.string(LogText.whole(server.log.entries))) }
    routes.get(
        "/internal/logs/raw", reach: .bare,
        RouteDescription(
            "What the server has said, line by line.", tag: "internal",
            answers: [.init(200, "Entries of time and text, and the size of a terminal.", .object)])
    ) { _ in .json(.object(LogText.message(server.log.entries))) }
    routes.add(
        .patch, "/internal/logs/subscribe", reach: .bare,
        RouteDescription(
            "Sends a client new lines over its socket, or no longer.", tag: "internal",
            body: [
                .json(.members(["clientId": .type("string"), "enabled": .type("boolean")], required: ["clientId"]))
            ],
            answers: [
                .init(200, "Done."), .init(400, "Not such an object.", .text),
                .init(413, "A body that is too large.", .text),
            ])
    ) { request in
        let body = try await request.jsonObject(upTo: ServerRequest.smallBody)
        guard let client = body["clientId"]?.stringValue, client.utf8.count <= 200 else {
            throw HTTPFailure(.badRequest, "expected {\"clientId\": text, \"enabled\": true or false}")
        }
        subscribers.set(client, isSubscribed: body["enabled"]?.boolValue ?? false, server.sockets)
        return .empty()
    }
}
