import Engine
import Images
import JSON
import NIOCore
import NodeKit
import Synchronization

/// Sends previews of one run: encoded on a thread of their own, no more often than a client can look at, and the latest
/// one while an earlier one is being encoded.
final class PreviewFrames: Sendable {
    private struct State {
        var isBusy = false
        var last: ContinuousClock.Instant?
        var waiting: (NodeIdentity, StepPreview)?
    }

    private static let interval = Duration.milliseconds(100)
    /// As the reference has it (server-api.md §12).
    private static let quality = 95
    private let promptID: String
    private let audience: RunAudience
    private let state = Mutex(State())

    init(promptID: String, _ audience: RunAudience) {
        self.promptID = promptID
        self.audience = audience
    }

    /// Takes a preview; returns at once.
    func add(_ node: NodeIdentity, _ preview: StepPreview) {
        guard !audience.isEmpty else { return }
        let begins = state.withLock { state in
            let now = ContinuousClock.now
            if let last = state.last, now - last < Self.interval, preview.step < preview.total { return false }
            state.last = now
            state.waiting = (node, preview)
            defer { state.isBusy = true }
            return !state.isBusy
        }
        if begins { Task { [self] in await onThread { [self] in sendWaiting() } } }
    }

    private func sendWaiting() {
        while true {
            let next = state.withLock { state -> (NodeIdentity, StepPreview)? in
                defer { state.waiting = nil }
                if state.waiting == nil { state.isBusy = false }
                return state.waiting
            }
            guard let (node, preview) = next else { return }
            send(node, preview)
        }
    }

    private func send(_ node: NodeIdentity, _ preview: StepPreview) {
        // A preview that cannot be made is none.
        guard let image = try? ByteImage(truncating: preview.picture),
            let bytes = try? JPEGWriter.encode(image, quality: Self.quality)
        else { return }
        let metadata: JSONObject = [
            "node_id": .string(node.id), "prompt_id": .string(promptID), "display_node_id": .string(node.displayID),
            "parent_node_id": node.parentID.map { .string($0) } ?? .null, "real_node_id": .string(node.realID),
            "image_type": .string("image/jpeg"),
        ]
        audience.sendPreview(
            ByteBuffer(bytes: bytes), metadata: metadata, slot: .preview(prompt: promptID, node: node.id))
    }
}
