import Engine
import JSON
import NIOCore
import NodeKit
import Synchronization

/// The text of `/object_info`, kept for as long as the folders hold the same files.
final class ObjectInfo: Sendable {
    private struct Known {
        var lists: [Choices: [String]]
        var text: ByteBuffer
    }

    private let known = Mutex<Known?>(nil)
    private let servesEditor: Bool

    init(servesEditor: Bool) { self.servesEditor = servesEditor }

    func all(_ registry: NodeRegistry, _ files: any NodeFiles) -> ByteBuffer {
        var lists: [Choices: [String]] = [:]
        for definition in registry.definitions {
            for input in definition.schema.inputs {
                guard case .choice(let choices) = input.kind, lists[choices] == nil else { continue }
                if case .fixed = choices { continue }
                lists[choices] = choices.names(in: files)
            }
        }
        if let known = known.withLock({ $0 }), known.lists == lists { return known.text }
        var entries = JSONObject()
        for definition in registry.definitions {
            entries[definition.schema.id] = definition.schema.objectInfo { lists[$0] ?? $0.names(in: files) }
        }
        if servesEditor { for (name, entry) in EditorNodes.missing(in: registry) { entries[name] = entry } }
        let text = ByteBuffer(string: JSON.object(entries).text(.compact))
        known.withLock { $0 = Known(lists: lists, text: text) }
        return text
    }
}
