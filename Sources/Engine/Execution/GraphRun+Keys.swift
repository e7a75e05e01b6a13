import JSON
import NodeKit

extension GraphRun {
    /// Finds the node's key, as far as the values that decide it are known.
    mutating func resolveKey(_ node: Int) {
        do {
            if let key = try makeKey(node) { keys[node] = .known(key) }
        } catch is UncachedSource {
            keys[node] = .never
        } catch is AlwaysChanged {
            keys[node] = .never
        } catch {
            keys[node] = .never
            environment.emit(
                .warning(node: graph.identity(node).realID, message: "results are not kept: \(error)"))
        }
    }

    private struct UncachedSource: Error {}

    /// - Returns: `nil` while the name of a file that belongs to the key comes from a node that has not run.
    /// - Throws: ``UncachedSource``, and what the node throws when it is asked for its change text.
    private mutating func makeKey(_ node: Int) throws -> CacheKey? {
        let entry = graph.nodes[node]
        var key = KeyBuilder(entry.schema, environment: environment.cacheScope)
        if entry.schema.usesNodeID { key.add(nodeID: entry.id) }
        for extra in entry.undeclared.sorted(by: { $0.name < $1.name }) {
            key.add(undeclared: extra.name, constant: extra.value)
        }
        var constants: [String: [any NodeValue]] = [:]
        var linked: Set<String> = []
        for input in entry.inputs.sorted(by: { $0.name < $1.name }) {
            var names: [any NodeValue]?
            switch input.value {
            case .value: throw UncachedSource()
            case .constant(let json):
                key.add(input: input.name, constant: json)
                try addEmbeddings(named: json, to: &key)
                let values = [json.nodeValue]
                if entry.definition.mayHaveFingerprint { constants[input.name] = values }
                names = values
            case .rawLink(let link, let source):
                guard let ancestor = try ancestorKey(source) else { return nil }
                key.add(input: input.name, source: ancestor, slot: link.slot)
                linked.insert(input.name)
            case .link(let source, let slot):
                guard let ancestor = try ancestorKey(source) else { return nil }
                key.add(input: input.name, source: ancestor, slot: slot)
                linked.insert(input.name)
                if let slots = values[source] ?? held(source)?.outputs, slots.indices.contains(slot) {
                    names = slots[slot]
                }
            }
            guard let files = input.files else { continue }
            guard let names else { return nil }
            for case let name as String in names {
                if let text = try files.fingerprint(name, environment.files) { key.add(file: text, of: name) }
            }
        }
        guard entry.definition.mayHaveFingerprint else { return key.finish() }
        let silent = NodeEventRelay(scope, graph.identity(node)) { _ in }
        if let text = try entry.definition.fingerprint(constants, linked: linked, context(node, silent)) {
            key.add(changeText: text)
        }
        return key.finish()
    }

    /// Prompts name files too: `embedding:NAME`. One that is there by name belongs to the text, also when it comes later.
    private func addEmbeddings(named constant: JSON, to key: inout KeyBuilder) throws {
        guard let text = constant.stringValue, text.utf8.contains("embedding:".utf8) else { return }
        for file in environment.files.modelNames("embeddings") {
            let name = file.lastIndex(of: ".").map { file[..<$0] } ?? file[...]
            guard text.utf8.contains("embedding:\(name)".utf8) else { continue }
            let path = try environment.files.model("embeddings", file)
            key.add(file: try environment.files.fingerprint(path: path), of: file)
        }
    }

    /// - Returns: `nil` while it is not known.
    private func ancestorKey(_ node: Int) throws -> CacheKey? {
        switch keys[node] {
        case .open: return nil
        case .never: throw UncachedSource()
        case .known(let key): return key
        }
    }
}

extension Choices {
    /// What changes with the content of one of the files; `nil` for entries that are no files.
    func fingerprint(_ name: String, _ files: any NodeFiles) throws -> String? {
        switch self {
        case .fixed: nil
        case .inputImages: try files.fingerprint(path: files.input(name))
        case .files(_, let extra) where extra.contains(name): nil
        case .files(let folder, _):
            if let set = FileSet.named(name, in: folder), set.fileNames(files) != nil {
                try set.paths(files).map { try files.fingerprint(path: $0) }.joined(separator: " ")
            } else {
                try files.fingerprint(path: files.model(folder, name))
            }
        }
    }
}
