import Checkpoints
import Diffusion
import Tensors

/// Checking a LoRA's factors against the weights they are for: families share names, not sizes.
enum LoRAFitting {
    /// - Throws: ``Checkpoints/CheckpointError`` naming the families and the weights that have other sizes.
    static func require(
        _ patches: [String: [WeightPatch]], fit source: WeightSource, lora: NamedTensors, family: String
    ) throws(CheckpointError) {
        var wrong: [String] = []
        for (key, list) in patches.sorted(by: { $0.key < $1.key }) {
            guard let shape = source.shape(key), let height = shape.first else { continue }
            let columns = shape.dropFirst().reduce(1, *)
            for patch in list {
                guard case .lowRank(let down, let up, _) = patch.change else { continue }
                let rows = patch.rows?.count ?? height
                if up.shape[0] == rows, down.shape[1] == columns, patch.rows?.upperBound ?? 0 <= height { continue }
                wrong.append("\"\(key)\" is \(rows) × \(columns), the LoRA's \(up.shape[0]) × \(down.shape[1])")
            }
        }
        guard let first = wrong.first else { return }
        let origin = LoRAOrigin.family(of: lora).map { "it is for \($0)" } ?? "it was made for another model"
        throw CheckpointError(
            .shapeMismatch,
            "the LoRA \(lora.name) does not fit the model, which is \(family): \(origin); \(wrong.count) weights have "
                + "other sizes (\(first))")
    }
}
