public import Tensors

extension Weights {
    /// The type narrower than float32 to which the reference rounds a parameter stored as `type`; `nil`: it keeps all
    /// digits. An fp8 parameter stays as it is beside wider ones.
    func roundedType(storedAs type: DType) -> DType? {
        guard let held = source.heldAs else { return nil }
        return type.isFloatingPoint && type.byteCount == 1 ? type : held
    }

    /// A parameter as stored, with the type that the reference rounds it to. For tables of which only a part is read:
    /// the part is converted by ``Tensor/held(as:)``.
    ///
    /// - Parameter shape: expected dimensions; −1 stands for any.
    public func table(_ name: String, _ shape: [Int]) throws(CheckpointError) -> (tensor: Tensor, heldAs: DType?) {
        let key = prefix.isEmpty ? name : prefix + "." + name
        let isPatched = source.patches[key] != nil
        let stored = try tensor(name, shape)
        // Patched parameters come rounded.
        return (stored, isPatched ? nil : roundedType(storedAs: stored.dtype))
    }

    /// A parameter of any rank as float32 with patches applied, rounded to the held type.
    public func parameter(_ name: String, _ shape: [Int]) throws(CheckpointError) -> Tensor {
        let (stored, type) = try table(name, shape)
        do { return try stored.held(as: type) } catch {
            throw CheckpointError(.malformed, "\(source.name): \"\(prefix).\(name)\": \(error.message)")
        }
    }

    /// A convolution whose windows do not overlap, as a linear layer on flattened windows: this prefix's `weight`
    /// `[outputs, channels, size, size]` and `bias`. A window's numbers are ordered (channel, row, column).
    public func windowedLinear(channels: Int, size: Int, outputs: Int) throws(CheckpointError) -> LinearWeight {
        let (kernel, type) = try table("weight", [outputs, channels, size, size])
        do {
            var weight = LinearWeight(
                matrix: try kernel.reshaped([outputs, channels * size * size]), heldAs: type)
            if contains("bias") { weight.bias = try vector("bias", outputs) }
            return weight
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw CheckpointError(.malformed, "\(source.name): \"\(prefix).weight\": \(error)")
        }
    }
}

extension Tensor {
    /// Contiguous float32 values after rounding to `type` (nearest even).
    public func held(as type: DType?) throws(TensorError) -> Tensor {
        guard let type, type != dtype else { return try asFloat32() }
        return try converted(to: type).asFloat32()
    }
}
