import Checkpoints
import Diffusion
import Foundation
import JSON
import NodeKit
import Tensors
import Testing

/// Nodes that the reference makes with torch, kornia and Pillow, against these libraries (`Files/make_library.py`).
struct LibraryNodeTests {
    private struct Row {
        let node: String
        let inputs: [String: any NodeValue]
        let outputs: [Tensor]
    }

    private static let nodes: [String] = {
        let rows = (try? Fixture.json("library.json").arrayValue) ?? []
        return Set(rows.compactMap { $0["node"]?.stringValue }).sorted()
    }()

    @Test func allRowsAreThere() { #expect(Self.nodes.count == 15) }

    @Test(arguments: nodes) func resultsEqualLibraries(node: String) async throws {
        let context = try TestInstallation().context()
        for (number, row) in try rows(of: node).enumerated() {
            let results = try await call(row.node, row.inputs, context)
            #expect(results.count == row.outputs.count)
            for (slot, (values, wanted)) in zip(results, row.outputs).enumerated() {
                let actual = try #require(values.first?.exportedTensors.first).tensor
                let place = "\(node) row \(number) output \(slot)"
                #expect(actual.shape == wanted.shape, "\(place)")
                guard actual.shape == wanted.shape else { continue }
                let differences = zip(try actual.floats(), try wanted.floats()).map { abs($0 - $1) }
                let largest = differences.reduce(0, max)
                #expect(largest <= 1e-5, "\(place): \(largest), \(differences.filter { $0 > 1e-5 }.count) differ")
            }
        }
    }

    private func rows(of node: String) throws -> [Row] {
        let file = try CheckpointFile(path: Fixture.path("library.safetensors"))
        func tensor(_ key: JSON?) throws -> Tensor {
            let name = try #require(key?.stringValue)
            return try #require(try file.tensor(name))
        }
        return try #require(try Fixture.json("library.json").arrayValue).filter { $0["node"]?.stringValue == node }
            .map { row in
                var inputs: [String: any NodeValue] = [:]
                for (name, value) in try #require(row["inputs"]?.objectValue) {
                    if value["IMAGE"] != nil {
                        inputs[name] = Image(try tensor(value["IMAGE"]))
                    } else if value["MASK"] != nil {
                        inputs[name] = Mask(try tensor(value["MASK"]))
                    } else if value["LATENT"] != nil {
                        inputs[name] = Latent(samples: try tensor(value["LATENT"]))
                    } else {
                        inputs[name] = JSONNodeValue(value)
                    }
                }
                return Row(
                    node: node, inputs: inputs, outputs: try #require(row["outputs"]?.arrayValue).map { try tensor($0) }
                )
            }
    }
}
