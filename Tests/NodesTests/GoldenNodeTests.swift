import Checkpoints
import Diffusion
import Foundation
import JSON
import NodeKit
import Sampling
import Tensors
import Testing

/// The nodes without a model on graphs that the reference ran (goldens `sd15`, cut down by `Files/make_golden.py`).
struct GoldenNodeTests {
    @Test(arguments: [
        ("image-mask", 43), ("image-scale", 26), ("latent-ops", 15), ("latent-scale", 17), ("batch", 8),
        ("cond-area", 6),
        ("cond-mask", 10), ("cond-ops", 7), ("custom-sampler", 18),
    ])
    func resultsEqualReference(name: String, nodes: Int) async throws {
        let graph = try #require(try Fixture.json("golden/\(name).json").objectValue)
        let expected = try Expected(path: Fixture.path("golden/\(name).safetensors"))
        let installation = try TestInstallation()
        for picture in ["tiny.png", "tiny2.png", "tinymask.png", "mask.png"] { try installation.add(input: picture) }
        #expect(graph.filter { $0.value["given"] == nil }.count == nodes)

        var results: [String: [[any NodeValue]]] = [:]
        for (id, node) in graph {
            let type = try #require(node["class_type"]?.stringValue)
            if let kind = node["given"]?.stringValue {
                results[id] = [[try expected.given(id, kind)]]
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
            let outputs = try await definition(type).run(inputs, installation.context(node: id))
            results[id] = outputs
            // Pictures from files are in one of the reference's files only.
            if type.hasPrefix("LoadImage") && name != "image-mask" {
                for values in outputs { expected.allow(try #require(values[0].exportedTensors.first).tensor) }
                continue
            }
            for (slot, values) in outputs.enumerated() {
                for part in values[0].exportedTensors {
                    try expected.compare(part.tensor, "\(id).\(slot)\(part.suffix)", type)
                }
            }
        }
        let unseen = expected.keys.subtracting(expected.seen)
        #expect(unseen.isEmpty, "\(name): expected, but not given by any node: \(unseen.sorted())")
    }
}

/// What the reference gave.
private final class Expected {
    let keys: Set<String>
    private var tensors: [String: Tensor]
    /// Keys that were compared or taken as given.
    private(set) var seen: Set<String> = []

    init(path: String) throws {
        let file = try CheckpointFile(path: path)
        keys = Set(file.keys)
        tensors = try Dictionary(uniqueKeysWithValues: file.keys.map { ($0, try #require(try file.tensor($0))) })
    }

    func given(_ id: String, _ kind: String) throws -> any NodeValue {
        func tensor(_ suffix: String) throws -> Tensor {
            let key = id + suffix
            seen.insert(key)
            return try #require(tensors[key], "\(key)")
        }
        switch kind {
        case "conditioning":
            var entry = ConditioningEntry(context: try tensor(".0.0.0"))
            entry[PooledOutput.self] = try tensor(".0.0.1.pooled_output")
            return ConditioningValue([entry])
        case "latent":
            // Also the last denoised estimate, which nothing here takes.
            seen.insert(id + ".1.samples")
            return Latent(samples: try tensor(".0.samples"))
        default:
            let format = LatentFormat(channels: 4, scale: 0.18215)
            return DiffusionModel(network: StubNetwork(latentFormat: format, sampling: DiscreteSampling()))
        }
    }

    /// Lets results equal a tensor that is in none of the files.
    func allow(_ tensor: Tensor) { tensors["loaded \(tensors.count)"] = tensor }

    func compare(_ tensor: Tensor, _ key: String, _ type: String) throws {
        let actual = try tensor.floats()
        if let wanted = tensors[key] {
            seen.insert(key)
            #expect(tensor.shape == wanted.shape, "\(key) \(type)")
            let floats = try wanted.floats()
            let size = floats.reduce(1) { max($0, abs($1)) }
            let difference = largestDifference(actual, floats)
            #expect(difference <= 2e-6 * size, "\(key) \(type): \(difference)")
        } else {
            // The files leave out what is zero everywhere or repeats another result.
            let repeats = try tensors.values.contains { other in
                let floats = try other.floats()
                let size = floats.reduce(1) { max($0, abs($1)) }
                return floats.count == actual.count && largestDifference(actual, floats) <= 2e-6 * size
            }
            #expect(
                repeats || actual.allSatisfy { $0 == 0 }, "\(key) \(type) \(tensor.shape): is in no way expected")
        }
    }

    private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
        guard a.count == b.count else { return .infinity }
        return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }
}
