import Engine
import JSON
import OrderedCollections

/// How far the nodes of a run are, as `progress_state` tells it (server-api.md §11).
///
/// Such a message repeats all nodes. A loop of thousands of turns would send gigabytes: of many nodes only those are told
/// that run, or have changed since the last message.
struct NodeStates {
    struct Progress {
        var node: NodeIdentity
        var value = 0.0
        var maximum = 1.0
        var isFinished = false
    }

    /// Up to so many nodes, every change of every node is told by a message of its own.
    private static let few = 48
    /// Up to so many, messages name all of them.
    private static let most = 300

    private var all: [String: Progress] = [:]
    /// All ids, in the order in which they began; not kept beyond ``most``.
    private var ids: OrderedSet<String> = []
    private var running: OrderedSet<String> = []
    private var changed: OrderedSet<String> = []

    var hasMany: Bool { all.count > Self.few }

    subscript(id: String) -> Progress? { all[id] }

    mutating func set(_ id: String, _ progress: Progress) {
        all[id] = progress
        if ids.count <= Self.most { ids.append(id) }
        if progress.isFinished { running.remove(id) } else { running.append(id) }
        changed.append(id)
    }

    /// The `data` of the next message; what it tells has not changed any more.
    mutating func message(of prompt: String) -> JSONObject {
        defer { changed = [] }
        return data(of: prompt, all.count <= Self.most ? ids : running.union(changed))
    }

    /// The `data` of a message to somebody who has heard none.
    func overview(of prompt: String) -> JSONObject { data(of: prompt, all.count <= Self.most ? ids : running) }

    private func data(of prompt: String, _ ids: OrderedSet<String>) -> JSONObject {
        var nodes = JSONObject()
        for id in ids {
            guard let progress = all[id] else { continue }
            nodes[id] = .object([
                "value": number(progress.value), "max": number(progress.maximum),
                "state": .string(progress.isFinished ? "finished" : "running"), "node_id": .string(id),
                "prompt_id": .string(prompt), "display_node_id": .string(progress.node.displayID),
                "parent_node_id": progress.node.parentID.map { .string($0) } ?? .null,
                "real_node_id": .string(progress.node.realID),
            ])
        }
        return ["prompt_id": .string(prompt), "nodes": .object(nodes)]
    }

    private func number(_ value: Double) -> JSON { Int64(exactly: value).map { .int($0) } ?? .double(value) }
}
