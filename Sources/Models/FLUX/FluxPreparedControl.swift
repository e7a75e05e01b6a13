import Diffusion
import Layers
import Tensors

/// A FLUX ControlNet with its hint.
struct FluxPreparedControl: PreparedControl {
    let network: FluxControlNetwork
    /// `[batch, 16 or 17, h, w]` in model units.
    let hint: Tensor
    /// `[1, width]`: a token put in front of the text.
    let mode: Tensor?
    let strength: Float
    let positions: FluxPositions.Cache

    /// The base's blocks over which residuals are distributed, whatever its real depth.
    private static let baseDoubleBlocks = 19
    private static let baseSingleBlocks = 38

    func residuals(_ call: NetworkCall, on b: any Backend) throws -> ControlResiduals {
        let t = network.transformer
        let (batch, height, width) = (call.x.shape[0], call.x.shape[2], call.x.shape[3])
        let hintTokens = try b.linear(b.place(Patches.cut(HostMath.cycleBatch(hint, to: batch))), network.hintIn)
        let image = try b.linear(
            b.place(Patches.cut(call.x)), t.imageIn, LinearEpilogue(residual: Residual(hintTokens)))
        var text = try t.text(call.entry.context, batch: batch, on: b)
        if let mode {
            let token = try HostMath.cycleBatch(mode.reshaped([1, 1, mode.shape[1]]), to: batch)
            text = try b.concatenate([b.place(token), text], axis: 1)
        }
        let modulation = try t.modulation(call, time: call.sigma, on: b)
        let rotary = try positions.table(
            text: text.shape[1], grids: [FluxPositions.Grid(rows: (height + 1) / 2, columns: (width + 1) / 2)])

        let doubleOutputs = outputs(over: Self.baseDoubleBlocks, network.doubleOutputs.count)
        let singleOutputs = outputs(over: Self.baseSingleBlocks, network.singleOutputs.count)
        // The last outputs may reach no block of the base (alimama's sixth): those blocks need not be computed.
        let lastDouble = doubleOutputs.compactMap(\.self).max() ?? -1
        var doubles: [Int: Tensor] = [:]
        var singles: [Int: Tensor] = [:]
        func weighted(_ tokens: Tensor, _ layer: LinearWeight) throws -> Tensor {
            try ControlHint.weighted(tokens, layer, strength, network.layout.outputActivation, on: b)
        }
        _ = try t(
            image: image, text: text, modulation: modulation, rotary: rotary, on: b,
            afterDouble: { index, tokens in
                if doubleOutputs.contains(index) { doubles[index] = try weighted(tokens, network.doubleOutputs[index]) }
                return (tokens, index < lastDouble || !network.singleOutputs.isEmpty)
            },
            afterSingle: { index, tokens in
                if singleOutputs.contains(index) { singles[index] = try weighted(tokens, network.singleOutputs[index]) }
                return nil
            })
        return ControlResiduals(groups: [
            "double": doubleOutputs.map { $0.flatMap { doubles[$0] } },
            "single": singleOutputs.map { $0.flatMap { singles[$0] } },
        ])
    }

    /// For each of the base's blocks the output that goes to it.
    private func outputs(over base: Int, _ count: Int) -> [Int?] {
        (0..<base).map { network.layout.output(forBlock: $0, of: base, outputs: count) }
    }
}
