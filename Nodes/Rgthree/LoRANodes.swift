import CoreNodes
import Diffusion
import JSON
import NodeKit

/// Any number of LoRA files, each in a row with a switch and strengths (pack-nodes.md §3).
///
/// The rows are objects under names that no schema lists, so the node reads them from the prompt.
struct PowerLoraLoader: Node {
    static let info = NodeInfo(
        "Power Lora Loader (rgthree)", category: "rgthree", usesNodeID: true, hidden: [.prompt, .uniqueID])

    @Input var model: DiffusionModel?
    @Input var clip: TextEncoderValue?
    @Output("MODEL", type: "MODEL") var changedModel: AnyNodeValue
    @Output("CLIP", type: "CLIP") var changedClip: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        var entries: [LoRAEntry] = []
        for row in Self.rows(context) where row.isOn && (row.strength != 0 || (row.clipStrength ?? 0) != 0) {
            guard let file = Self.file(row.name, among: context.files.modelNames("loras")) else {
                context.warn("there is no LoRA \"\(row.name.prefix(200))\" in models/loras; its row is skipped")
                continue
            }
            entries.append(
                LoRAEntry(name: file, modelStrength: row.strength, clipStrength: row.clipStrength ?? row.strength))
        }
        let result = try applyLoRAs(entries, model: model, clip: clip, context)
        changedModel = AnyNodeValue(result.model ?? NoValue())
        changedClip = AnyNodeValue(result.clip ?? NoValue())
    }

    /// The rows are no inputs, but the result depends on them.
    func fingerprint(_ context: NodeContext) throws -> String? {
        Self.rows(context).map { "\($0.isOn) \($0.name) \($0.strength) \($0.clipStrength ?? $0.strength)" }
            .joined(separator: "\n")
    }

    private struct Row {
        var isOn: Bool
        var name: String
        var strength: Double
        var clipStrength: Double?
    }

    /// Objects called lora_1, LORA_2, … in the order of the prompt; everything else is layout.
    private static func rows(_ context: NodeContext) -> [Row] {
        let inputs = context.prompt[context.nodeID]?["inputs"]?.objectValue ?? JSONObject()
        return inputs.compactMap { name, value in
            guard name.lowercased().hasPrefix("lora_"), let lora = value["lora"]?.stringValue else { return nil }
            let isOn = value["on"].flatMap { Bool(literal: $0) } ?? false
            return Row(
                isOn: isOn, name: lora, strength: value["strength"]?.doubleValue ?? 0,
                clipStrength: value["strengthTwo"]?.doubleValue)
        }
    }

    /// The file meant: by path, by path without extension, by name, by name without extension, or by a part of the path.
    private static func file(_ wanted: String, among files: [String]) -> String? {
        let wanted = wanted.replacing("\\", with: "/")
        func withoutExtension(_ path: String) -> String {
            guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return path }
            return String(path[..<dot])
        }
        func lastPart(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
        let tests: [(String) -> Bool] = [
            { $0 == wanted },
            { withoutExtension($0) == withoutExtension(wanted) },
            { lastPart($0) == lastPart(wanted) },
            { withoutExtension(lastPart($0)) == withoutExtension(lastPart(wanted)) },
            { $0.contains(wanted) },
        ]
        guard !wanted.isEmpty, wanted != "None" else { return nil }
        for test in tests {
            if let found = files.first(where: { test($0.replacing("\\", with: "/")) }) { return found }
        }
        return nil
    }
}

/// Up to four LoRA files, each with one strength (pack-nodes.md §3).
struct LoraLoaderStack: Node {
    static let info = NodeInfo("Lora Loader Stack (rgthree)", category: "rgthree")

    @Input var model: DiffusionModel
    @Input var clip: TextEncoderValue
    @Input(.named("lora_01"), .files("loras", extra: ["None"])) var name1: String
    @Input(.named("strength_01"), .range(-10.0...10.0), .step(0.01)) var strength1 = 1.0
    @Input(.named("lora_02"), .files("loras", extra: ["None"])) var name2: String
    @Input(.named("strength_02"), .range(-10.0...10.0), .step(0.01)) var strength2 = 1.0
    @Input(.named("lora_03"), .files("loras", extra: ["None"])) var name3: String
    @Input(.named("strength_03"), .range(-10.0...10.0), .step(0.01)) var strength3 = 1.0
    @Input(.named("lora_04"), .files("loras", extra: ["None"])) var name4: String
    @Input(.named("strength_04"), .range(-10.0...10.0), .step(0.01)) var strength4 = 1.0
    @Output var changedModel: DiffusionModel
    @Output var changedClip: TextEncoderValue

    func run(_ context: NodeContext) async throws {
        let rows = [(name1, strength1), (name2, strength2), (name3, strength3), (name4, strength4)]
        let entries = rows.filter { $0.0 != "None" }.map {
            LoRAEntry(name: $0.0, modelStrength: $0.1, clipStrength: $0.1)
        }
        let result = try applyLoRAs(entries, model: model, clip: clip, context)
        (changedModel, changedClip) = (result.model ?? model, result.clip ?? clip)
    }
}
