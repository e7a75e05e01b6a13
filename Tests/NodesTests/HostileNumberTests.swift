import Diffusion
import JSON
import NodeKit
import Sampling
import Tensors
import Testing

/// Numbers and texts that come over links are not validated before a node runs: every node of the core gets the worst
/// ones in turn and must end, with an error or without.
struct HostileNumberTests {
    private static let ids = allPacks[0].definitions.map(\.schema)
        .filter { schema in
            schema.inputs.contains { ["INT", "FLOAT", "STRING", "COMBO"].contains($0.typeName) }
                && schema.inputs.allSatisfy { Self.value(for: $0) != nil }
        }
        .map(\.id)

    @Test func mostNodesAreTried() { #expect(Self.ids.count > 90, "\(Self.ids.count)") }

    @Test(arguments: ids) func extremesEndInAnErrorOrAResult(id: String) async throws {
        let context = try TestInstallation().context()
        let definition = try definition(id)
        let inputs = definition.schema.inputs
        var plain: [String: [any NodeValue]] = [:]
        for input in inputs { plain[input.name] = [try #require(Self.value(for: input))] }
        for input in inputs {
            for extreme in Self.extremes(of: input.typeName) {
                var values = plain
                values[input.name] = [extreme]
                _ = await failure { _ = try await definition.run(values, context) }
            }
        }
        // The plain values themselves: nodes that only calculate take them.
        let message = await failure { _ = try await definition.run(plain, context) }
        let calculates = ["image", "mask", "latent", "utils", "sampling/custom_sampling/s"].contains {
            definition.schema.category.hasPrefix($0)
        }
        let needsFile = id.hasPrefix("Load")
        #expect(message.isEmpty || !calculates || needsFile, "\(id): \(message)")
    }

    private static func extremes(of type: String) -> [any NodeValue] {
        switch type {
        case "INT": [Int.min, -1, 0, 1 << 33, Int.max]
        case "FLOAT": [-Double.infinity, -1.0, 0.0, 1e-300, 1e300, Double.infinity, Double.nan]
        case "STRING", "COMBO": ["", "\u{0}", "../../x", "(", "e\u{301}"]
        default: []
        }
    }

    /// A value that fits an input; `nil` for those that need a model.
    private static func value(for input: InputSchema) -> (any NodeValue)? {
        if let literal = input.options["default"] { return JSONNodeValue(literal) }
        switch input.kind {
        case .choice(.fixed(let names)): return names.first ?? "x"
        case .choice: return "x"
        case .type(let type):
            switch type {
            case "INT": return (input.options["min"]?.intValue ?? 0) > 0 ? 64 : 1
            case "FLOAT": return 0.5
            case "BOOLEAN": return false
            case "STRING": return "text"
            case "COMBO": return input.options["options"]?[0]?.stringValue ?? "text"
            case "IMAGE": return (try? Tensor.full([2, 40, 48, 3], 0.25)).map { Image($0) }
            case "MASK": return (try? Tensor.full([1, 40, 48], 0.75)).map { Mask($0) }
            case "LATENT": return (try? Tensor.full([2, 16, 12, 10], 0.5)).map { Latent(samples: $0) }
            case "SIGMAS": return Sigmas([14, 5, 1, 0])
            case "MODEL": return DiffusionModel(network: StubNetwork())
            case "VAE": return AutoencoderValue(StubAutoencoder())
            case "CLIP": return TextEncoderValue(StubEncoder())
            case "NOISE": return NoiseValue(RandomNoise(seed: 1))
            case "SAMPLER": return SamplerValue(EulerSampler())
            case "CONTROL_NET": return ControlNet(network: StubControlNetwork())
            case "CONDITIONING":
                return (try? Tensor.full([1, 2, 3], 0.5)).map { ConditioningValue([ConditioningEntry(context: $0)]) }
            case "*": return "anything"
            default: return nil
            }
        }
    }
}

extension InputSchema {
    fileprivate var typeName: String {
        switch kind {
        case .type(let name): name
        case .choice: "STRING"
        }
    }
}
