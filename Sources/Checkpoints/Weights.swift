public import Tensors

/// A cursor into a ``WeightSource``: a prefix to which layers append the names of what they read. Checks every shape.
public struct Weights: Sendable {
    public let source: WeightSource
    public let prefix: String

    public init(_ source: WeightSource, prefix: String = "") {
        self.source = source
        self.prefix = prefix
    }

    public subscript(name: String) -> Weights { Weights(source, prefix: join(name)) }
    public subscript(index: Int) -> Weights { self[String(index)] }

    private func join(_ name: String) -> String { prefix.isEmpty ? name : prefix + "." + name }

    public func contains(_ name: String) -> Bool { source.contains(join(name)) }
    /// Dimensions of a weight, or `nil` if there is none.
    public func shape(_ name: String) -> [Int]? { source.shape(join(name)) }
    /// How many numbered children the name has.
    public func count(_ name: String) -> Int { source.count(join(name) + ".") }

    /// A whole parameter as stored (any type), patches not applied. For convolution kernels and embedding tables.
    ///
    /// - Parameter shape: expected dimensions; −1 stands for any.
    public func tensor(_ name: String, _ shape: [Int]) throws(CheckpointError) -> Tensor {
        let key = join(name)
        guard let list = source.pieces[key], let piece = list.first else { throw missing(key) }
        source.usage.insert(key)
        guard list.count == 1 else {
            throw CheckpointError(.unsupported, "\(source.name): \"\(key)\" is in \(list.count) parts")
        }
        try check(key, piece.tensor.shape.array, shape)
        if source.patches[key] != nil { return try fusedTensor(key) }
        return piece.tensor
    }

    /// A small parameter (bias, norm scale) as float32 with patches applied, rounded to the held type.
    public func vector(_ name: String, _ count: Int) throws(CheckpointError) -> Tensor {
        let key = join(name)
        guard source.contains(key) else { throw missing(key) }
        source.usage.insert(key)
        guard source.shape(key)?.first == count else { throw mismatch(key, source.shape(key) ?? [], [count]) }
        return try vector(key: key, rows: 0..<count, total: count)
    }

    /// A linear layer: this prefix's `weight` and, if there is one, `bias`.
    ///
    /// - Parameters:
    ///   - inputs: expected columns; `outputs` expected rows of the whole weight.
    ///   - rows: the part of the outputs that is wanted; it must not cross pieces of the file.
    public func linear(inputs: Int, outputs: Int, rows: Range<Int>? = nil) throws(CheckpointError) -> LinearWeight {
        let key = join("weight")
        guard let list = source.pieces[key] else { throw missing(key) }
        source.usage.insert(key)
        let rows = rows ?? 0..<outputs
        for piece in list { try check(piece.fileKey, piece.tensor.shape.array, [piece.rows.count, inputs]) }
        guard let height = list.map(\.rows.upperBound).max(), height == outputs else {
            throw mismatch(key, source.shape(key) ?? [], [outputs, inputs])
        }
        let patches = source.patches[key] ?? []
        let mustFuse =
            !patches.isEmpty
            && (source.roundsPatches && roundedType(list[0]) != nil
                || !patches.allSatisfy { if case .lowRank = $0.change { true } else { false } })
        do {
            var weight: LinearWeight
            if mustFuse {
                let whole = try fusedTensor(key)
                weight = LinearWeight(matrix: try whole.slice(axis: 0, rows), scale: list[0].scale)
            } else {
                guard
                    let piece = list.first(where: {
                        $0.rows.lowerBound <= rows.lowerBound && rows.upperBound <= $0.rows.upperBound
                    })
                else {
                    throw CheckpointError(
                        .unsupported, "\(source.name): rows \(rows) of \"\(key)\" are spread over several tensors")
                }
                let start = rows.lowerBound - piece.rows.lowerBound
                weight = LinearWeight(
                    matrix: try piece.tensor.slice(axis: 0, start..<start + rows.count), heldAs: roundedType(piece),
                    scale: piece.scale)
                weight.adapters = try adapters(patches, rows, inputs, outputs, key)
            }
            let biasKey = join("bias")
            if source.contains(biasKey) {
                source.usage.insert(biasKey)
                weight.bias = try vector(key: biasKey, rows: rows, total: outputs)
            }
            return weight
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw CheckpointError(.shapeMismatch, "\(source.name): \"\(key)\": \(error)")
        }
    }

    private func adapters(
        _ patches: [WeightPatch], _ rows: Range<Int>, _ inputs: Int, _ outputs: Int, _ key: String
    ) throws -> [LowRankAdapter] {
        var result: [LowRankAdapter] = []
        for patch in patches {
            guard case .lowRank(let down, let up, let factor) = patch.change else { continue }
            let target = patch.rows ?? 0..<outputs
            guard up.shape[0] == target.count, down.shape[1] == inputs, target.upperBound <= outputs else {
                throw CheckpointError(
                    .shapeMismatch,
                    "\(source.name): a LoRA of shapes \(up.shape) × \(down.shape) does not fit rows \(target) of \"\(key)\" "
                        + "[\(outputs), \(inputs)]")
            }
            let overlap = target.clamped(to: rows)
            if overlap.isEmpty || factor == 0 { continue }
            let start = overlap.lowerBound - target.lowerBound
            result.append(
                LowRankAdapter(
                    rows: overlap.lowerBound - rows.lowerBound..<overlap.upperBound - rows.lowerBound, down: down,
                    up: try up.slice(axis: 0, start..<start + overlap.count), factor: factor))
        }
        return result
    }

    private func roundedType(_ piece: WeightPiece) -> DType? { roundedType(storedAs: piece.tensor.dtype) }

    private func fusedTensor(_ key: String) throws(CheckpointError) -> Tensor {
        // Rounded and unrounded forms of one weight are two tensors.
        let isRounded = source.roundsPatches && source.heldAs != nil
        return try source.fused.tensor(isRounded ? "rounded " + key : key) { () throws(CheckpointError) in
            do { return try fuse(key) } catch let error as CheckpointError { throw error } catch {
                throw CheckpointError(.shapeMismatch, "\(source.name): \"\(key)\": \(error)")
            }
        }
    }

    /// A whole parameter as float32 with patches applied; nothing is kept.
    public func whole(_ name: String) throws -> Tensor {
        let key = join(name)
        let values = try fuse(key).asFloat32()
        // Scaled-fp8 weights are kept apart from their factor.
        guard let scale = source.pieces[key]?.first?.scale, scale != 1 else { return values }
        return try HostMath.scale(values, scale)
    }

    private func fuse(_ key: String) throws -> Tensor {
        guard let list = source.pieces[key], let shape = source.shape(key) else { throw missing(key) }
        let scale = list[0].scale
        var values: [Float] = []
        for piece in list {
            let held = try roundedType(piece).map { try piece.tensor.converted(to: $0) } ?? piece.tensor
            values += try held.floats().map { $0 * piece.scale }
        }
        let columns = shape.dropFirst().reduce(1, *)
        for patch in source.patches[key] ?? [] { try patch.apply(to: &values, columns: columns) }
        if scale != 1 { for i in values.indices { values[i] /= scale } }
        guard source.roundsPatches, let type = roundedType(list[0]) else {
            return try Tensor(values, shape: Shape(shape))
        }
        return try HeldRounding.round(values, shape: Shape(shape), to: type, name: source.fullNamePrefix + key)
    }

    private func vector(key: String, rows: Range<Int>, total: Int) throws(CheckpointError) -> Tensor {
        guard let list = source.pieces[key] else { throw missing(key) }
        do {
            if source.patches[key] != nil {
                return try fusedTensor(key).slice(axis: 0, rows).converted(to: .float32)
            }
            for piece in list where piece.rows.lowerBound <= rows.lowerBound && rows.upperBound <= piece.rows.upperBound
            {
                try check(piece.fileKey, piece.tensor.shape.array, [piece.rows.count])
                let start = rows.lowerBound - piece.rows.lowerBound
                let part = try piece.tensor.slice(axis: 0, start..<start + rows.count)
                if let type = roundedType(piece), type != part.dtype {
                    return try part.converted(to: type).converted(to: .float32)
                }
                return try part.converted(to: .float32)
            }
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw CheckpointError(.shapeMismatch, "\(source.name): \"\(key)\": \(error)")
        }
        throw mismatch(key, source.shape(key) ?? [], [total])
    }

    private func check(_ key: String, _ found: [Int], _ expected: [Int]) throws(CheckpointError) {
        guard found.count == expected.count, zip(found, expected).allSatisfy({ $1 == -1 || $0 == $1 }) else {
            throw mismatch(key, found, expected)
        }
    }

    private func mismatch(_ key: String, _ found: [Int], _ expected: [Int]) -> CheckpointError {
        let wanted = expected.map { $0 == -1 ? "any" : String($0) }.joined(separator: ", ")
        return CheckpointError(
            .shapeMismatch, "\(source.name): \"\(key)\" has the shape \(found), expected [\(wanted)]")
    }

    private func missing(_ key: String) -> CheckpointError {
        CheckpointError(
            .missingKey,
            "\(source.name): the key \"\(key)\" is missing; the file is incomplete or of another model family")
    }
}
