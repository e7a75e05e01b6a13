import JSON
import NodeKit

/// Results of earlier runs: in memory (``ResultCache``), behind it on disk (``ResultStore``). From the disk only what is
/// used is read.
extension GraphRun {
    /// The result that is kept in memory for a node.
    func lookUp(_ node: Int) -> NodeResult? {
        guard case .known(let key) = keys[node], let held = environment.cache[key] else { return nil }
        // Someone may have removed or changed the pictures that it speaks of.
        return held.files.areThere(environment.files) ? held : nil
    }

    /// Finds out before the run whether there is a result for a node.
    mutating func find(_ node: Int) {
        cached[node] = lookUp(node)
        guard cached[node] == nil, let store = environment.store, case .known(let key) = keys[node],
            store.contains(key)
        else { return }
        stored.insert(node)
        // What output nodes showed is told, and observers want everything.
        if graph.nodes[node].schema.isOutput || environment.observeResult != nil { _ = held(node) }
    }

    /// The result that was there before the node's turn; read from the disk if need be.
    mutating func held(_ node: Int) -> NodeResult? {
        if let held = cached[node] { return held }
        guard stored.remove(node) != nil, let read = readStored(node) else { return nil }
        cached[node] = read
        return read
    }

    /// The result on disk, which from then on is in memory too.
    func readStored(_ node: Int) -> NodeResult? {
        guard case .known(let key) = keys[node], let read = environment.store?.lookUp(key, environment.files) else {
            return nil
        }
        if isSmallOrOutsideExpansions(read, node) { environment.cache.store(read, for: key) }
        return read
    }

    /// Keeps the result of a node that has run.
    mutating func keep(_ done: NodeResult, of node: Int, _ key: CacheKey, _ seconds: Double) {
        var done = done
        let schema = graph.nodes[node].schema
        if done.ui != nil { done.files = WrittenFiles(shown: done.ui, environment.files) }
        if isSmallOrOutsideExpansions(done, node) { environment.cache.store(done, for: key) }
        guard let store = environment.store else { return }
        // The steps of a loop are kept on disk only where they are long work by themselves.
        if graph.nodes[node].origin != nil && seconds < 1 { return }
        store.store(done, for: key, seconds: seconds, isOutput: schema.isOutput) { lineage(of: node) }
    }

    /// Large values inside expansions are not kept: a loop would fill the cache with its steps, while the result of the
    /// whole is kept under the node of the workflow.
    private func isSmallOrOutsideExpansions(_ done: NodeResult, _ node: Int) -> Bool {
        graph.nodes[node].origin == nil || done.byteCount <= 64 << 10
    }

    // MARK: Records

    /// What a node's result is made from, as far as that is known.
    func record(of node: Int) -> ResultRecord {
        let entry = graph.nodes[node]
        var record = ResultRecord(
            node: entry.id, title: entry.title, type: entry.schema.id, version: entry.schema.version,
            environment: environment.cacheScope)
        for input in entry.inputs {
            switch input.value {
            case .constant(let json):
                record.inputs[input.name] = .constant(ResultRecord.shortened(json))
                if let files = input.files, let name = json.stringValue,
                    let digest = try? files.fingerprint(name, environment.files)
                {
                    record.files[input.name] = digest
                }
            case .link(let source, let slot):
                if case .known(let key) = keys[source] { record.inputs[input.name] = .link(source: key, slot: slot) }
            case .rawLink(let link, let source):
                if case .known(let key) = keys[source] {
                    record.inputs[input.name] = .link(source: key, slot: link.slot)
                }
            case .value: break
            }
        }
        return record
    }

    /// The record with those of the nodes before it that have no result on disk, so that it can be said later which of
    /// their inputs changed.
    private func lineage(of node: Int) -> ResultLineage {
        var lineage = ResultLineage(record(of: node))
        var stack = graph.nodes[node].sources
        while let next = stack.popLast(), lineage.ancestors.count < 200 {
            guard case .known(let key) = keys[next], lineage.ancestors[key] == nil,
                environment.store?.contains(key) != true
            else { continue }
            lineage.ancestors[key] = record(of: next)
            stack += graph.nodes[next].sources
        }
        return lineage
    }
}
