import Checkpoints
import Diffusion
import Foundation
import JSON
import NodeKit
import Tensors
import Testing

/// The picture and mask nodes on graphs that the reference ran (goldens `sd15/image-mask` and `sd15/image-scale`, cut
/// down to nodes that exist here and the results of others that these take).
struct GoldenImageTests {
    @Test(arguments: [("image-mask", 25), ("image-scale", 19)])
    func resultsEqualReference(name: String, nodes: Int) async throws {
        let graph = try #require(try Fixture.json("golden/\(name).json").objectValue)
        let expected = try CheckpointFile(path: Fixture.path("golden/\(name).safetensors"))
        let installation = try TestInstallation()
        for picture in ["tiny.png", "tiny2.png", "tinymask.png"] { try installation.add(input: picture) }
        #expect(graph.count == nodes)

        var results: [String: [[any NodeValue]]] = [:]
        for (id, node) in graph {
            let type = try #require(node["class_type"]?.stringValue)
            guard let found = try? definition(type) else {
                // A node we do not have: its result comes from the reference.
                let tensor = try #require(try expected.tensor(id + ".0"))
                results[id] = [[tensor.shape.rank == 4 ? Image(tensor) as any NodeValue : Mask(tensor)]]
                continue
            }
            var inputs: [String: [any NodeValue]] = [:]
            for (input, value) in try #require(node["inputs"]?.objectValue) {
                if let source = value[0]?.stringValue, let slot = value[1]?.intValue {
                    inputs[input] = try #require(results[source]?[slot])
                } else {
                    inputs[input] = [JSONNodeValue(value)]
                }
            }
            let outputs = try await found.run(inputs, installation.context(node: id))
            results[id] = outputs
            // That file has no loaded pictures; the other one has the same.
            if name == "image-scale" && type == "LoadImage" { continue }
            for (slot, values) in outputs.enumerated() {
                let tensor = try #require(values[0].exportedTensors.first).tensor
                try compare(tensor, "\(id).\(slot)", type, expected)
            }
        }
    }

    private func compare(_ tensor: Tensor, _ key: String, _ type: String, _ expected: CheckpointFile) throws {
        let actual = try tensor.floats()
        if let wanted = try expected.tensor(key) {
            #expect(tensor.shape == wanted.shape, "\(key) \(type)")
            #expect(largestDifference(actual, try wanted.floats()) <= 2e-6, "\(key) \(type)")
        } else {
            // The file leaves out what is zero everywhere or repeats another result.
            let repeats = try expected.keys.contains { other in
                let floats = try expected.tensor(other)?.floats() ?? []
                return floats.count == actual.count && largestDifference(actual, floats) <= 2e-6
            }
            #expect(repeats || actual.allSatisfy { $0 == 0 }, "\(key) \(type): is in no way expected")
        }
    }

    private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
        guard a.count == b.count else { return .infinity }
        return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }
}
