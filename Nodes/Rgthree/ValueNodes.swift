import CoreNodes
import JSON
import NodeKit
import PackTools

/// The usual settings of a sampler in one place (pack-nodes.md §3).
struct KSamplerConfig: Node {
    static let info = NodeInfo("KSampler Config (rgthree)", category: "rgthree")

    @Input(.range(1...10000)) var stepsTotal = 30
    @Input(.range(1...10000)) var refinerStep = 24
    @Input(.range(0.0...100.0), .step(0.5)) var cfg = 8.0
    @Input(samplerChoices) var samplerName: String
    @Input(schedulerChoices) var scheduler: String
    @Output("STEPS") var steps: Int
    @Output("REFINER_STEP") var refiner: Int
    @Output("CFG") var guidance: Double
    @Output("SAMPLER", type: "*") var sampler: String
    @Output("SCHEDULER", type: "*") var schedule: String

    func run(_ context: NodeContext) async throws {
        (steps, refiner, guidance) = (stepsTotal, refinerStep, cfg)
        (sampler, schedule) = (samplerName, scheduler)
    }
}

/// A value made a text, a number or a switch (pack-nodes.md §3).
struct PowerPrimitive: Node {
    static let info = NodeInfo("Power Primitive (rgthree)", category: "rgthree")

    @Input(.choices(["STRING", "INT", "FLOAT", "BOOLEAN"])) var type: String
    @Input(.type("*")) var value: AnyNodeValue
    @Output("*", type: "*") var result: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        let text = describedValue(value)
        switch type {
        case "INT": result = AnyNodeValue(try number(text).truncatedInt)
        case "FLOAT": result = AnyNodeValue(try number(text))
        case "BOOLEAN": result = AnyNodeValue(!["", "false", "0", "0.0", "none"].contains(text.lowercased()))
        default: result = AnyNodeValue(text)
        }
    }

    private func number(_ text: String) throws -> Double {
        switch PythonText.stripped(text).lowercased() {
        case "true": return 1
        case "false": return 0
        case let digits:
            guard let number = Double(digits), number.isFinite else {
                throw NodeError("input \"value\": \"\(text.prefix(50))\" is no number")
            }
            return number
        }
    }
}
