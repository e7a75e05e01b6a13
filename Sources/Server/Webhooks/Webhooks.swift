import JSON
import Synchronization

/// Tells other servers of prompts that have ended: POST with JSON, signed, repeated until it is taken.
///
/// `X-Graphrun-Signature: t=SECONDS,v1=HEX` carries the HMAC-SHA256 of `SECONDS.BODY` under the shared secret; the time in
/// it keeps others from sending an old announcement again. `X-Graphrun-Delivery` is the same for all tries of one
/// announcement. Announcements are kept on disk together with the history entry that they tell of, until they are
/// delivered or given up: a server that ends leaves them to the next one, so a target may hear of a prompt twice.
final class Webhooks: Sendable {
    private static let delays: [Duration] = [.zero, .seconds(1), .seconds(5), .seconds(30), .seconds(120)]

    private let targets: [WebhookTarget]
    private let client: WebhookClient
    private let secret: String?
    private let server: ServerContext
    private let store: PromptStore
    private struct State {
        /// Announcements that have not been tried yet.
        var untried = 0
        var isEnded = false
    }
    private let state = Mutex(State())

    /// - Throws: ``ServeError`` for addresses that are no http or https URLs.
    init(_ server: ServerContext, _ store: PromptStore) throws(ServeError) {
        var targets: [WebhookTarget] = []
        for url in server.options.webhooks { targets.append(try WebhookTarget(url)) }
        self.targets = targets
        client = try WebhookClient(
            isSecure: targets.contains(where: \.isSecure), roots: server.options.webhookRoots)
        secret = server.options.webhookSecret
        self.server = server
        self.store = store
    }

    /// What is to be told of a prompt's end, to be kept with its history entry.
    func announcements(of outcome: PromptOutcome) -> [Announcement] {
        guard !targets.isEmpty else { return [] }
        let members: JSONObject = [
            "event": .string("prompt_finished"), "prompt_id": .string(outcome.id),
            "status": .string(outcome.status.rawValue), "seconds": .double(outcome.duration.seconds),
            "outputs": outcome.record["outputs"] ?? .object(JSONObject()), "timestamp": .int(milliseconds()),
        ]
        let body = JSON.object(members).text(.compact)
        let delivery = freshID()
        return targets.map { Announcement(delivery: delivery, url: $0.url, body: body) }
    }

    /// Returns at once; tries go on in the background.
    func send(_ announcements: [Announcement]) {
        for announcement in announcements {
            // The target may have been taken off the command line since.
            guard let target = targets.first(where: { $0.url == announcement.url }) else { continue }
            state.withLock { $0.untried += 1 }
            Task { await deliver(announcement, to: target) }
        }
    }

    /// Sends what an earlier server left.
    func sendLeft() async {
        do {
            send(try await store.announcements())
        } catch {
            server.log.error("webhooks: what was left to send cannot be read: \(error)")
        }
    }

    /// Waits until everything has been tried once, but not for long; what is left then is the next server's.
    func settle() async {
        for _ in 0..<60 where state.withLock({ $0.untried }) > 0 { try? await Task.sleep(for: .milliseconds(50)) }
        state.withLock { $0.isEnded = true }
    }

    private func deliver(_ announcement: Announcement, to target: WebhookTarget) async {
        var reason = ""
        for (attempt, delay) in Self.delays.enumerated() {
            try? await Task.sleep(for: delay)
            if state.withLock({ $0.isEnded }) { return }
            defer { if attempt == 0 { state.withLock { $0.untried -= 1 } } }
            do {
                let status = try await client.post(announcement.body, headers(announcement), to: target)
                if (200..<300).contains(status) { return await end(announcement, "delivered") }
                reason = "it answered \(status)"
                // Requests that are refused for good are not repeated.
                if (400..<500).contains(status) && status != 408 && status != 429 { break }
            } catch {
                reason = String(describing: error)
            }
        }
        server.log.error("webhook \(shortened(target.url)): \(reason)")
        await end(announcement, "failed")
    }

    private func headers(_ announcement: Announcement) -> [(String, String)] {
        var headers = [("x-graphrun-delivery", announcement.delivery)]
        if let secret {
            let time = milliseconds() / 1000
            let signature = HMAC.sha256(key: Array(secret.utf8), Array("\(time).\(announcement.body)".utf8))
            headers.append(("x-graphrun-signature", "t=\(time),v1=\(hexadecimal(signature))"))
        }
        return headers
    }

    private func end(_ announcement: Announcement, _ outcome: String) async {
        server.metrics.webhook(outcome)
        // If it cannot be forgotten it is sent again: better twice than never.
        try? await store.remove(announcement)
    }
}

/// One message to one target.
struct Announcement: Sendable, Hashable {
    /// The same for all targets and all tries.
    var delivery: String
    var url: String
    var body: String
}
