import Checkpoints
import Synchronization

/// The layers of a model, made when first needed, once for each way of treating patches: views of mapped weights, so
/// this costs little.
final class LayerCache<Layers: Sendable>: Sendable {
    private let built = Mutex([Bool: Layers]())

    func layers(
        _ source: WeightSource, roundsPatches: Bool, _ make: (Weights) throws(CheckpointError) -> Layers
    ) throws(CheckpointError) -> Layers {
        if let found = built.withLock({ $0[roundsPatches] }) { return found }
        var source = source
        source.roundsPatches = roundsPatches
        let made = try make(Weights(source))
        built.withLock { $0[roundsPatches] = made }
        return made
    }
}
