public import Tensors

/// Shift, scale and gate vectors `[batch, width]` as views of one projection of the conditioning vector, in triples
/// (shift₁, scale₁, gate₁, shift₂, …): the adaLN of DiT blocks (Peebles and Xie 2023).
public struct ModulationParts: Sendable {
    private let parts: [Tensor]

    /// - Parameters:
    ///   - vector: SiLU of the conditioning vector, `[batch, inputs]`.
    ///   - weight: a multiple of `width` outputs.
    public init(_ vector: Tensor, _ weight: LinearWeight, width: Int, on backend: any Backend) throws {
        let all = try backend.linear(vector, weight)
        parts = try (0..<weight.outputs / width).map { try all.slice(axis: 1, $0 * width..<($0 + 1) * width) }
    }

    /// Vectors `[batch, width]` made elsewhere, in the same order.
    public init(_ parts: [Tensor]) { self.parts = parts }

    /// Shift and scale that start at part `index`; the gate is part `index + 2`.
    public func modulation(_ index: Int) -> Modulation { Modulation(shift: parts[index], scale: parts[index + 1]) }
    public func gate(_ index: Int) -> Tensor { parts[index + 2] }
}
