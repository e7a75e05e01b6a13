import JSON
import NodeKit

/// Where a loop begins: passes its values on.
struct TestWhileLoopOpen: Node {
    static let info = NodeInfo("TestWhileLoopOpen", category: "Testing/Flow")
    @Input var condition = true
    @Input(.named("initial_value0")) var value0: AnyNodeValue?
    @Input(.named("initial_value1")) var value1: AnyNodeValue?
    @Input(.named("initial_value2")) var value2: AnyNodeValue?
    @Input(.named("initial_value3")) var value3: AnyNodeValue?
    @Input(.named("initial_value4")) var value4: AnyNodeValue?
    @Output("FLOW_CONTROL", type: "FLOW_CONTROL") var flow: AnyNodeValue
    @Output("value0") var out0: AnyNodeValue
    @Output("value1") var out1: AnyNodeValue
    @Output("value2") var out2: AnyNodeValue
    @Output("value3") var out3: AnyNodeValue
    @Output("value4") var out4: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        flow = stub
        out0 = orNone(value0)
        out1 = orNone(value1)
        out2 = orNone(value2)
        out3 = orNone(value3)
        out4 = orNone(value4)
    }
}

/// What stands in a FLOW_CONTROL output: only the link counts.
private let stub = AnyNodeValue("stub")

/// An absent value as a value.
private func orNone(_ value: AnyNodeValue?) -> AnyNodeValue { value ?? AnyNodeValue(JSONNodeValue(.null)) }

/// Where a loop ends: as long as the condition holds, everything between the beginning and here is repeated with the
/// values that arrive here.
struct TestWhileLoopClose: Node {
    static let info = NodeInfo(
        "TestWhileLoopClose", category: "Testing/Flow", usesNodeID: true, hidden: [.liveGraph, .uniqueID])
    @Input(.rawLink, .type("FLOW_CONTROL")) var flowControl: GraphLink
    @Input(.forceInput) var condition: Bool
    @Input(.named("initial_value0")) var value0: AnyNodeValue?
    @Input(.named("initial_value1")) var value1: AnyNodeValue?
    @Input(.named("initial_value2")) var value2: AnyNodeValue?
    @Input(.named("initial_value3")) var value3: AnyNodeValue?
    @Input(.named("initial_value4")) var value4: AnyNodeValue?
    @Output("value0") var out0: AnyNodeValue
    @Output("value1") var out1: AnyNodeValue
    @Output("value2") var out2: AnyNodeValue
    @Output("value3") var out3: AnyNodeValue
    @Output("value4") var out4: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        let values = [value0, value1, value2, value3, value4]
        let outputs = [$out0, $out1, $out2, $out3, $out4]
        guard condition else {
            for (output, value) in zip(outputs, values) { output.wrappedValue = orNone(value) }
            return
        }
        guard let graph = context.graph else { throw NodeError("a loop works only in a run") }
        let body = try LoopBody(from: flowControl.node, to: context.nodeID, in: graph)
        var copy = context.subgraph()
        let recursion = body.add(to: &copy, values: values.map { $0?.base })
        try context.expand(copy)
        for (slot, output) in outputs.enumerated() { output.link(recursion[slot]) }
    }
}

/// Counts down from a number; otherwise the beginning of a loop.
struct TestForLoopOpen: Node {
    static let info = NodeInfo("TestForLoopOpen", category: "Testing/Flow")
    @Input(.range(0...100_000), .step(1)) var remaining = 1
    @Input(.named("initial_value1")) var value1: AnyNodeValue?
    @Input(.named("initial_value2")) var value2: AnyNodeValue?
    @Input(.named("initial_value3")) var value3: AnyNodeValue?
    @Input(.named("initial_value4")) var value4: AnyNodeValue?
    @Input(.named("initial_value0"), .hidden) var value0: AnyNodeValue?
    @Output("flow_control", type: "FLOW_CONTROL") var flow: AnyNodeValue
    @Output("remaining", type: "INT") var left: AnyNodeValue
    @Output("value1") var out1: AnyNodeValue
    @Output("value2") var out2: AnyNodeValue
    @Output("value3") var out3: AnyNodeValue
    @Output("value4") var out4: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        let count = value0 ?? AnyNodeValue(remaining)
        var graph = context.subgraph()
        let open = graph.add("TestWhileLoopOpen", ["condition": true, "initial_value0": .value(count.base)])
        for (index, value) in [value1, value2, value3, value4].enumerated() {
            if let value { graph.set(open, "initial_value\(index + 1)", to: .value(value.base)) }
        }
        try context.expand(graph)
        flow = stub
        left = count
        out1 = orNone(value1)
        out2 = orNone(value2)
        out3 = orNone(value3)
        out4 = orNone(value4)
    }
}

/// The end of a counted loop: becomes the end of a loop whose condition is that something remains.
struct TestForLoopClose: Node {
    static let info = NodeInfo("TestForLoopClose", category: "Testing/Flow")
    @Input(.rawLink, .type("FLOW_CONTROL")) var flowControl: GraphLink
    @Input(.named("initial_value1"), .rawLink, .type("*")) var value1: GraphLink?
    @Input(.named("initial_value2"), .rawLink, .type("*")) var value2: GraphLink?
    @Input(.named("initial_value3"), .rawLink, .type("*")) var value3: GraphLink?
    @Input(.named("initial_value4"), .rawLink, .type("*")) var value4: GraphLink?
    @Output("value1") var out1: AnyNodeValue
    @Output("value2") var out2: AnyNodeValue
    @Output("value3") var out3: AnyNodeValue
    @Output("value4") var out4: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        var graph = context.subgraph()
        let left = graph.add(
            "TestIntMathOperation",
            ["a": .link(GraphLink(node: flowControl.node, slot: 1)), "b": 1, "operation": "subtract"])
        let goesOn = graph.add("TestToBoolNode", ["value": .link(left[0])])
        let close = graph.add(
            "TestWhileLoopClose",
            [
                "flow_control": .link(flowControl), "condition": .link(goesOn[0]),
                "initial_value0": .link(left[0]),
            ])
        for (index, link) in [value1, value2, value3, value4].enumerated() {
            if let link { graph.set(close, "initial_value\(index + 1)", to: .link(link)) }
        }
        try context.expand(graph)
        for (index, output) in [$out1, $out2, $out3, $out4].enumerated() { output.link(close[index + 1]) }
    }
}
