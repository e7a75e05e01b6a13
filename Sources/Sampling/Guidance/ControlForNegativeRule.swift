import Diffusion

/// The old `ControlNetApply` node attaches a ControlNet to the positive only and marks it: then every negative entry
/// without one gets it (spec: families-unet-sampling.md §6).
enum ControlForNegativeRule {
    static func applied(to conditionings: [Conditioning], positive: Int) -> [Conditioning] {
        guard conditionings.indices.contains(positive) else { return conditionings }
        let marked = conditionings[positive].filter { $0[ControlForNegative.self] == true }
            .compactMap { $0[Control.self] }.filter { !$0.isEmpty }
        guard !marked.isEmpty else { return conditionings }
        return conditionings.enumerated().map { index, conditioning in
            if index == positive { return conditioning }
            var next = 0
            return conditioning.map { entry in
                guard entry[Control.self]?.isEmpty ?? true else { return entry }
                var entry = entry
                entry[Control.self] = marked[next % marked.count]
                next += 1
                return entry
            }
        }
    }
}
