public import Diffusion
internal import Tensors

/// Where a LoRA's name points: a weight of ours, or some of its rows.
public struct LoRATarget: Sendable, Hashable {
    /// Key of the weight ("double_blocks.0.img_attn.qkv.weight").
    public var key: String
    /// The rows the LoRA was trained for; `nil`: all.
    public var rows: Range<Int>?
    /// The file's upper and lower half of rows are ours exchanged (diffusers' `norm_out`).
    public var swapsHalves: Bool

    public init(_ key: String, rows: Range<Int>? = nil, swapsHalves: Bool = false) {
        self.key = key
        self.rows = rows
        self.swapsHalves = swapsHalves
    }
}

/// The contents of a LoRA file: changes grouped by the name of what they change (families-unet-sampling.md §15).
public struct LoRAFile: Sendable {
    struct Entry {
        var up: Tensor?
        var down: Tensor?
        var alpha: Float?
        var difference: Tensor?
        var biasDifference: Tensor?
        var replacement: Tensor?
        /// LoHa, LoKr and core factors, and DoRA's scale, by their names in the file.
        var factors: [String: Tensor] = [:]
        var keys: [String] = []

        /// Rows and columns of the weight that it was made for, if its tensors say so.
        var size: (rows: Int, columns: Int)? {
            func flat(_ tensor: Tensor?) -> (rows: Int, columns: Int)? {
                guard let tensor, tensor.shape.rank > 0, tensor.shape[0] > 0 else { return nil }
                return (tensor.shape[0], tensor.count / tensor.shape[0])
            }
            if let whole = flat(difference) { return whole }
            if let a = flat(factors["hada_w1_a"]), let b = flat(factors["hada_w1_b"]), factors["hada_t1"] == nil {
                return (a.rows, b.columns)
            }
            guard factors["lora_mid.weight"] == nil, let up = flat(up), let down = flat(down) else { return nil }
            return (up.rows, down.columns)
        }
    }
    public let name: String
    private var entries: [String: Entry] = [:]

    private enum Role { case up, down, alpha, difference, biasDifference, replacement, factor }

    /// Spellings of a pair's halves and of what goes with it, longest first where one ends in another.
    private static let suffixes: [(String, Role)] =
        [
            (".lora_linear_layer.up.weight", .up), (".lora_linear_layer.down.weight", .down),
            (".lora_B.default.weight", .up), (".lora_A.default.weight", .down),
            (".lora_up.weight", .up), (".lora_down.weight", .down),
            ("_lora.up.weight", .up), ("_lora.down.weight", .down),
            (".lora.up.weight", .up), (".lora.down.weight", .down),
            (".lora_B.weight", .up), (".lora_A.weight", .down), (".lora_B", .up), (".lora_A", .down),
            (".alpha", .alpha), (".diff_b", .biasDifference), (".diff", .difference), (".set_weight", .replacement),
            (".w_norm", .difference), (".b_norm", .biasDifference), (".lora_mid.weight", .factor),
        ] + factorNames.map { ("." + $0, .factor) }

    private static let factorNames = [
        "dora_scale", "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2", "lokr_w1", "lokr_w2",
        "lokr_w1_a", "lokr_w1_b", "lokr_w2_a", "lokr_w2_b", "lokr_t2",
    ]

    public init(_ file: NamedTensors) throws {
        name = file.name
        for (key, tensor) in file.tensors {
            guard let (suffix, role) = Self.suffixes.first(where: { key.hasSuffix($0.0) }) else { continue }
            let base = String(key.dropLast(suffix.count))
            var entry = entries[base] ?? Entry()
            entry.keys.append(key)
            switch role {
            case .up: entry.up = tensor
            case .down: entry.down = tensor
            case .alpha: entry.alpha = try tensor.count == 1 ? tensor.floats()[0] : nil
            case .difference: entry.difference = tensor
            case .biasDifference: entry.biasDifference = tensor
            case .replacement: entry.replacement = tensor
            case .factor: entry.factors[String(suffix.dropFirst())] = tensor
            }
            entries[base] = entry
        }
    }

    /// The changes for the weights in `table` (from names in the file to weights).
    ///
    /// - Throws: ``CheckpointError`` for factors that do not fit together.
    public func patches(
        _ table: [String: LoRATarget], strength: Float
    ) throws -> (patches: [String: [WeightPatch]], report: LoRAReport) {
        var result: [String: [WeightPatch]] = [:]
        var report = LoRAReport()
        for (base, entry) in entries.sorted(by: { $0.key < $1.key }) {
            guard let target = table[base] else { continue }
            var changes = try Self.changes(entry, base, target, strength, name)
            if let bias = entry.biasDifference {
                let key =
                    target.key.hasSuffix(".weight") ? target.key.dropLast("weight".count) + "bias" : target.key[...]
                result[String(key), default: []].append(WeightPatch(rows: target.rows, .add(bias, strength: strength)))
            }
            if changes.isEmpty && entry.biasDifference == nil { continue }
            if target.swapsHalves { changes = try changes.flatMap(Self.swapped) }
            result[target.key, default: []] += changes
            report.used.formUnion(entry.keys)
        }
        report.changedWeights = result.count
        return (result, report)
    }

    private static func changes(
        _ entry: Entry, _ base: String, _ target: LoRATarget, _ strength: Float, _ name: String
    ) throws -> [WeightPatch] {
        if let replacement = entry.replacement { return [WeightPatch(rows: target.rows, .replace(replacement))] }
        if let difference = entry.difference {
            return [WeightPatch(rows: target.rows, .add(difference, strength: strength))]
        }
        if let delta = try delta(entry) {
            let rescaling = entry.factors["dora_scale"].map { WeightRescaling(scale: $0) }
            if rescaling != nil, target.rows != nil || target.swapsHalves {
                throw CheckpointError(
                    .unsupported, "\(name): \"\(base)\" is a DoRA for a part of a weight, which is not supported")
            }
            return [WeightPatch(rows: target.rows, .delta(delta, rescaling: rescaling, strength: strength))]
        }
        guard entry.up != nil || entry.down != nil else { return [] }
        guard let up = entry.up, let down = entry.down else {
            throw CheckpointError(.malformed, "\(name): \"\(base)\" has only one half of its pair of factors")
        }
        guard up.shape.rank >= 2, down.shape.rank >= 2 else {
            throw CheckpointError(.shapeMismatch, "\(name): the factors of \"\(base)\" are not matrices")
        }
        let flatUp = try up.reshaped([up.shape[0], up.count / max(up.shape[0], 1)])
        let flatDown = try down.reshaped([down.shape[0], down.count / max(down.shape[0], 1)])
        let rank = flatDown.shape[0]
        guard rank > 0, flatUp.shape[1] == rank else {
            throw CheckpointError(
                .shapeMismatch, "\(name): the factors of \"\(base)\" have the shapes \(up.shape) and \(down.shape)")
        }
        if let rows = target.rows, rows.count != flatUp.shape[0] {
            throw CheckpointError(
                .shapeMismatch,
                "\(name): \"\(base)\" has \(flatUp.shape[0]) rows, the model has \(rows.count) there (another model family?)"
            )
        }
        let factor = strength * ((entry.alpha ?? Float(rank)) / Float(rank))
        return [WeightPatch(rows: target.rows, .lowRank(down: flatDown, up: flatUp, factor: factor))]
    }

    /// The addition of an entry that is more than a pair of factors.
    private static func delta(_ entry: Entry) throws -> WeightDelta? {
        let f = entry.factors
        func factor(_ rank: Int?) -> Float {
            guard let alpha = entry.alpha, let rank, rank > 0 else { return 1 }
            return alpha / Float(rank)
        }
        func leading(_ tensor: Tensor?) -> Int? { tensor.flatMap { $0.shape.rank > 0 ? $0.shape[0] : nil } }
        if let a = f["hada_w1_a"], let b = f["hada_w1_b"], let c = f["hada_w2_a"], let d = f["hada_w2_b"] {
            return WeightDelta(
                form: .hadamard(first: (a, b, f["hada_t1"]), second: (c, d, f["hada_t2"])), factor: factor(leading(b)))
        }
        let first = WeightDelta.Factors(whole: f["lokr_w1"], a: f["lokr_w1_a"], b: f["lokr_w1_b"])
        let second = WeightDelta.Factors(
            whole: f["lokr_w2"], a: f["lokr_w2_a"], b: f["lokr_w2_b"], core: f["lokr_t2"])
        if first.whole != nil || first.a != nil, second.whole != nil || second.a != nil {
            // With both whole there is no rank, and alpha means nothing.
            return WeightDelta(
                form: .kronecker(first: first, second: second), factor: factor(leading(second.b) ?? leading(first.b)))
        }
        guard let up = entry.up, let down = entry.down else { return nil }
        if let mid = f["lora_mid.weight"] {
            return WeightDelta(form: .core(up: up, mid: mid, down: down), factor: factor(leading(down)))
        }
        return f["dora_scale"] == nil
            ? nil : WeightDelta(form: .lowRank(up: up, down: down), factor: factor(leading(down)))
    }

    /// The change with the halves of its rows exchanged.
    private static func swapped(_ patch: WeightPatch) throws -> [WeightPatch] {
        guard case .lowRank(let down, let up, let factor) = patch.change, up.shape[0] % 2 == 0 else { return [patch] }
        let (start, half) = (patch.rows?.lowerBound ?? 0, up.shape[0] / 2)
        return [
            WeightPatch(
                rows: start..<start + half,
                .lowRank(down: down, up: try up.slice(axis: 0, half..<2 * half), factor: factor)),
            WeightPatch(
                rows: start + half..<start + 2 * half,
                .lowRank(down: down, up: try up.slice(axis: 0, 0..<half), factor: factor)),
        ]
    }

    /// A layer of the file whose size is not that of the weight it is for.
    public struct Mismatch: Sendable, Hashable {
        /// The layer's name in the file.
        public var name: String
        /// "256 × 64".
        public var found: String
        public var expected: String
    }

    /// The layers' names, sorted.
    public var names: [String] { entries.keys.sorted() }

    /// The layers that do not fit the weights they are for.
    ///
    /// - Parameter shape: of a weight; `nil` where anything is allowed.
    public func mismatches(_ table: [String: LoRATarget], shape: (String) -> [Int]?) -> [Mismatch] {
        var result: [Mismatch] = []
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
            guard let target = table[name], let size = entry.size, let weight = shape(target.key) else { continue }
            let rows = target.rows?.count ?? weight.first ?? 1
            let columns = weight.dropFirst().reduce(1, *)
            guard size != (rows, columns) else { continue }
            result.append(
                Mismatch(
                    name: name, found: "\(size.rows) × \(size.columns)", expected: "\(rows) × \(columns)"))
        }
        return result
    }

    /// Names in the file that `used` does not contain, for a warning.
    public func unusedNames(_ used: Set<String>) -> [String] {
        entries.filter { $0.value.keys.allSatisfy { !used.contains($0) } }.keys.sorted()
    }
}
