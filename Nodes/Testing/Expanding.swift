import JSON
import NodeKit
import Tensors

/// Makes two nodes that wait for each other.
struct TestDynamicDependencyCycle: Node {
    static let info = NodeInfo("TestDynamicDependencyCycle", category: category)
    @Input var input1: Image
    @Input var input2: Image
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        var graph = context.subgraph()
        let mask = graph.add(
            "StubMask",
            [
                "value": 0.5, "height": .literal(.int(Int64(input1.height))),
                "width": .literal(.int(Int64(input1.width))), "batch_size": 1,
            ])
        let mix1 = graph.add("TestLazyMixImages", ["image1": .value(input1), "mask": .link(mask[0])])
        let mix2 = graph.add(
            "TestLazyMixImages", ["image1": .link(mix1[0]), "image2": .value(input2), "mask": .link(mask[0])])
        graph.set(mix1, "image2", to: .link(mix2[0]))
        try context.expand(graph)
        $result.link(mix2[0])
    }
}

/// Gives its results in three ways, by the size of its input.
struct TestMixedExpansionReturns: Node {
    static let info = NodeInfo("TestMixedExpansionReturns", category: category)
    @Input var input1: Double
    @Output("IMAGE") var first: Image
    @Output("IMAGE") var second: Image

    func run(_ context: NodeContext) async throws {
        let shape: Shape = [1, 512, 512, 3]
        second = Image(try .full(shape, 1))
        if input1 <= 0.1 {
            first = Image(try .full(shape, 0.1))
        } else if input1 <= 0.2 {
            first = Image(try .full(shape, 0.2))
        } else {
            var graph = context.subgraph()
            let size: KeyValuePairs<String, GraphInput> = [
                "value": 0.3, "height": 512, "width": 512, "batch_size": 1,
            ]
            let mask = graph.add("StubMask", size)
            let black = graph.add("StubImage", ["content": "BLACK", "height": 512, "width": 512, "batch_size": 1])
            let white = graph.add("StubImage", ["content": "WHITE", "height": 512, "width": 512, "batch_size": 1])
            let mix = graph.add(
                "TestLazyMixImages",
                ["image1": .link(black[0]), "image2": .link(white[0]), "mask": .link(mask[0])])
            try context.expand(graph)
            $first.link(mix[0])
        }
    }
}

/// Makes several sleeping nodes and averages what they pass on.
struct TestDynamicAsyncGeneration: Node {
    static let info = NodeInfo("TestDynamicAsyncGeneration", category: "Testing/Async")
    @Input var image1: Image
    @Input var image2: Image
    @Input(.named("num_async_nodes"), .range(1...10)) var count = 3
    @Input(.named("sleep_duration"), .range(0.1...1.0), .step(0.1)) var duration = 0.2
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        var graph = context.subgraph()
        let sleeping = (0..<count).map { index in
            graph.add(
                "TestSleep",
                ["value": .value(index % 2 == 0 ? image1 : image2), "seconds": .literal(.double(duration))])
        }
        let average = graph.add("TestVariadicAverage")
        for (index, node) in sleeping.enumerated() {
            graph.set(average, "input\(index + 1)", to: .link(node[0]))
        }
        try context.expand(graph)
        $result.link(average[0])
    }
}

/// Three sleeping nodes beside each other, and the average of what they pass on.
struct TestParallelSleep: Node {
    static let info = NodeInfo(
        "TestParallelSleep", category: "Testing/Async", isOutput: true, usesNodeID: true, hidden: [.uniqueID])
    @Input var image1: Image
    @Input var image2: Image
    @Input var image3: Image
    @Input(.range(0.0...10.0), .step(0.01)) var sleep1 = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var sleep2 = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var sleep3 = 1.0
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        var graph = context.subgraph()
        let sleeping = [(image1, sleep1), (image2, sleep2), (image3, sleep3)].map { image, seconds in
            graph.add("TestSleep", ["value": .value(image), "seconds": .literal(.double(seconds))])
        }
        let average = graph.add(
            "TestVariadicAverage",
            ["input1": .link(sleeping[0][0]), "input2": .link(sleeping[1][0]), "input3": .link(sleeping[2][0])])
        try context.expand(graph)
        $result.link(average[0])
    }
}
