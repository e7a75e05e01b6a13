public import Diffusion

/// A network whose blocks can be left out one by one, for guidance by a weakened version of itself
/// (`SkipLayerGuidance…`; Hyung et al. 2024, "Spatiotemporal Skip Guidance").
public protocol LayerSkippingNetwork: DiffusionNetwork {
    /// The network with the listed blocks replaced by the identity on all their streams. Indices beyond the last block
    /// mean nothing.
    ///
    /// - Parameters:
    ///   - double: blocks with separate weights for text and picture.
    ///   - single: blocks over one sequence, for families that have them.
    func skipping(double: Set<Int>, single: Set<Int>) -> any DiffusionNetwork
}
