internal import Tensors

/// Rounding of patched weights to the type the reference keeps them in (families-sd3-aura.md §15).
enum HeldRounding {
    /// - Parameter name: the full parameter name; seeds the stochastic rounding of fp8.
    static func round(_ values: [Float], shape: Shape, to type: DType, name: String) throws -> Tensor {
        try Tensor(values, shape: shape).converted(to: type)
    }
}
