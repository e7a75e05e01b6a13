import Hashing
import NodeKit
import Workflow

extension GraphEngine {
    /// Why each node would run or not; runs nothing and loads nothing.
    public func explain(_ prompt: ValidatedPrompt) -> CacheExplanation {
        let options = RunOptions()
        let environment = RunEnvironment(self, prompt, options, RunScope(options.control)) { _ in }
        return GraphRun(prompt, environment).explanation()
    }
}

extension GraphRun {
    /// Looks at all nodes as a run would, without running any.
    consuming func explanation() -> CacheExplanation {
        let entries = environment.store?.entries() ?? []
        let kept = Dictionary(entries.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        let comparison = RecordComparison(entries)
        for node in graph.order { resolveKey(node) }
        var present: [CacheKey: ResultRecord] = [:]
        for node in graph.order {
            if case .known(let key) = keys[node] { present[key] = record(of: node) }
        }
        var valid: Set<Int> = []
        for node in graph.order {
            if case .known(let key) = keys[node], let entry = kept[key], entry.files.areThere(environment.files) {
                valid.insert(node)
            }
        }
        let needed = needed(valid)
        let nodes = graph.order.map { node in
            let entry = graph.nodes[node]
            var explained = CacheExplanation.Node(
                id: entry.id, title: entry.title, type: entry.schema.id, verdict: .notNeeded, reasons: [])
            if case .known(let key) = keys[node], let result = kept[key], valid.contains(node) {
                explained.seconds = result.seconds
                explained.byteCount = result.byteCount
                explained.made = result.made
            }
            switch (needed.contains(node), valid.contains(node)) {
            case (false, _): explained.reasons = ["nothing that runs needs it"]
            case (true, true): explained.verdict = .kept
            case (true, false):
                explained.verdict = .runs
                if case .open = keys[node] { explained.verdict = .open }
                // Two ways to the same change are one reason.
                for reason in reasons(node, kept, comparison, { present[$0] })
                where !explained.reasons.contains(reason) { explained.reasons.append(reason) }
            }
            return explained
        }
        return CacheExplanation(nodes: nodes)
    }

    /// The nodes that are run or whose results are read.
    private func needed(_ valid: Set<Int>) -> Set<Int> {
        var needed: Set<Int> = []
        var stack = roots
        while let node = stack.popLast() {
            guard needed.insert(node).inserted, !valid.contains(node) else { continue }
            stack += graph.nodes[node].sources
        }
        return needed
    }

    private func reasons(
        _ node: Int, _ kept: [CacheKey: ResultStore.Entry], _ comparison: RecordComparison,
        _ present: (CacheKey) -> ResultRecord?
    ) -> [String] {
        let schema = graph.nodes[node].schema
        switch keys[node] {
        case .open: return ["the name of a file that it, or a node before it, reads is computed during the run"]
        case .never:
            for input in graph.nodes[node].inputs {
                guard let source = input.value.source, case .never = keys[source] else { continue }
                return ["input \(input.name) comes from node \(graph.nodes[source].id), whose results are never kept"]
            }
            return ["it says that its result is another one every time"]
        case .known(let key):
            if let entry = kept[key] {
                let file = entry.files.missing(environment.files) ?? "a file"
                return ["\(file) is not there as it was written"]
            }
            if comparison.contains(key) { return [whyNotKept(schema)] }
            guard let differences = comparison.differences(record(of: node), present: present) else {
                return ["there is no result of any \(schema.id)"]
            }
            if !differences.isEmpty { return differences }
            return ["something that it reads changed, or its result was dropped to make room"]
        }
    }

    /// For nodes that have run with the same inputs.
    private func whyNotKept(_ schema: NodeSchema) -> String {
        let known = Set(environment.registry.storable.values.values.map { $0.socketType }).union(["*", "COMBO"])
        let odd = schema.outputs.map(\.type).filter { !known.contains($0) }
        if !odd.isEmpty { return "\(odd[0]) values are not kept on disk; it is run when something needs it" }
        return
            "nothing changed; it is quicker to run it than to read its result, or the result was dropped or too large"
    }
}
