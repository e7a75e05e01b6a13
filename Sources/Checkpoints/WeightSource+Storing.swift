import Tensors

extension WeightSource {
    /// The weights as they are written into a file: under the source's names, patches applied, in the type in which the
    /// source's file holds them or the one that ``heldAs`` asks for.
    ///
    /// Weights without patches are copied bit for bit. Patched ones are rounded to nearest even, in fp8 at random as
    /// they are when the model runs. Factors of scaled-fp8 files are multiplied in; these weights become bfloat16.
    ///
    /// - Parameters:
    ///   - prefix: put before every name.
    ///   - keepsFileTypes: whether ``heldAs`` is left out of account.
    public func storedWeights(prefix: String = "", keepsFileTypes: Bool = false) -> [TensorToWrite] {
        keys.compactMap { key in
            guard let list = pieces[key], let first = list.first, let shape = shape(key) else { return nil }
            let stored = first.tensor.dtype
            var type = stored
            if first.scale != 1 {
                type = .bfloat16
            } else if !keepsFileTypes, stored.isFloatingPoint {
                type = Weights(self).roundedType(storedAs: stored) ?? stored
            }
            let target = type
            return TensorToWrite(key: prefix + key, type: target, shape: shape) {
                try self.stored(key, list, Shape(shape), as: target)
            }
        }
    }

    private func stored(_ key: String, _ list: [WeightPiece], _ shape: Shape, as type: DType) throws -> Tensor {
        if patches[key] == nil, list.count == 1, list[0].scale == 1 { return try list[0].tensor.converted(to: type) }
        let isFractional = list.allSatisfy { $0.tensor.dtype.isFloatingPoint }
        if patches[key] == nil, list.allSatisfy({ $0.scale == 1 && $0.tensor.dtype == type }) || !isFractional {
            return try joined(list, shape, type)
        }
        let values = try Weights(self).whole(key)
        guard type == .float8e4m3 || type == .float8e5m2 else { return try values.converted(to: type) }
        return try HeldRounding.round(values.floats(), shape: shape, to: type, name: fullNamePrefix + key)
    }

    /// The pieces one below the other, bit for bit.
    private func joined(_ list: [WeightPiece], _ shape: Shape, _ type: DType) throws -> Tensor {
        let parts = try list.map { try $0.tensor.converted(to: type) }
        guard parts.reduce(0, { $0 + $1.count }) == shape.count else {
            throw CheckpointError(
                .shapeMismatch, "\(name): the parts of a weight of shape \(shape) do not fill it")
        }
        return try unsafe Tensor.buildBytes(shape, dtype: type) { out throws(TensorError) in
            var position = 0
            for part in parts {
                let bytes = part.count * type.byteCount
                do {
                    try unsafe part.withBytes { source in
                        unsafe UnsafeMutableRawBufferPointer(rebasing: out[position..<position + bytes])
                            .copyMemory(from: source)
                    }
                } catch { throw TensorError(.deviceMismatch, "\(error)") }
                position += bytes
            }
        }
    }
}
