import NodeKit

extension GraphRun {
    /// Puts a node and what it needs into the list, as far as there are no results yet.
    ///
    /// - Returns: the nodes added.
    @discardableResult
    mutating func schedule(_ root: Int) -> [Int] {
        var added: [Int] = []
        var stack = [root]
        while let node = stack.popLast() {
            if list.isOpen(node) { continue }
            let schema = graph.nodes[node].schema
            list.add(node, isOutput: schema.isOutput, schema.work)
            added.append(node)
            if cached[node] != nil { continue }
            for source in graph.nodes[node].eagerSources { require(source, by: node, &stack) }
            for input in graph.nodes[node].inputs where input.isLazy {
                // Nothing is run for it, but what others make of it is kept until this node has run.
                guard let source = input.value.source else { continue }
                hold(source, by: node)
                if values[source] == nil, let held = held(source) { values[source] = held.outputs }
            }
            if schema.hidden.contains(.liveGraph) {
                // It may repeat any part of the graph before it.
                for ancestor in ancestors(of: node) { hold(ancestor, by: node) }
                makeLive()
            }
        }
        return added
    }

    /// Lets `node` have the values of `source`: waits for them where they are not there, and runs what has to be run.
    mutating func require(_ source: Int, by node: Int, _ stack: inout [Int]) {
        hold(source, by: node)
        if values[source] != nil { return }
        if list.isOpen(source) && cached[source] == nil { return list.block(node, on: source) }
        if let held = held(source) ?? (list.contains(source) ? lookUp(source) : nil) {
            values[source] = held.outputs
            return
        }
        list.block(node, on: source)
        stack.append(source)
    }

    private mutating func hold(_ source: Int, by node: Int) {
        uses[source] += 1
        holds[node].append(source)
    }

    /// Lets go of the values that a node held.
    mutating func releaseHolds(of node: Int) {
        let held = holds[node]
        holds[node] = []
        release(held)
    }

    mutating func release(_ held: [Int]) {
        for source in held {
            uses[source] -= 1
            guard uses[source] == 0 else { continue }
            values[source] = nil
            if !list.isOpen(source) { forget(source) }
        }
    }

    private func ancestors(of node: Int) -> [Int] {
        var seen: Set<Int> = [node]
        var stack = [node]
        var found: [Int] = []
        while let next = stack.popLast() {
            for source in graph.nodes[next].sources where seen.insert(source).inserted {
                found.append(source)
                stack.append(source)
            }
        }
        return found
    }

    /// A lazy node wants more of its inputs evaluated before it runs.
    mutating func evaluate(_ names: [String], for node: Int) throws {
        var stack: [Int] = []
        list.putBack(node)
        for name in names {
            guard let place = graph.nodes[node].inputs.firstIndex(where: { $0.name == name }),
                let source = graph.nodes[node].inputs[place].value.source, graph.nodes[node].inputs[place].isLazy
            else { throw NodeError("input \"\(name)\" was evaluated, but the node on its link gave no value for it") }
            graph.nodes[node].inputs[place].isLazy = false
            require(source, by: node, &stack)
        }
        var added: [Int] = []
        while let next = stack.popLast() { added += schedule(next) }
        for next in added { list.release(next) }
        list.release(node)
    }
}
