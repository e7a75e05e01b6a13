import Checkpoints
import Layers
import Tensors

/// The projections of one attention.
struct SD3Attention: Sendable {
    let query: LinearWeight
    let key: LinearWeight
    let value: LinearWeight
    let queryNorm: Tensor?
    let keyNorm: Tensor?
    /// Missing where nobody reads the result (text in the last block).
    let output: LinearWeight?

    init(_ w: Weights, width d: Int) throws(CheckpointError) {
        query = try w["qkv"].linear(inputs: d, outputs: 3 * d, rows: 0..<d)
        key = try w["qkv"].linear(inputs: d, outputs: 3 * d, rows: d..<2 * d)
        value = try w["qkv"].linear(inputs: d, outputs: 3 * d, rows: 2 * d..<3 * d)
        let isNormed = w.contains("ln_q.weight")
        queryNorm = isNormed ? try w["ln_q"].vector("weight", SD3Configuration.headWidth) : nil
        keyNorm = isNormed ? try w["ln_k"].vector("weight", SD3Configuration.headWidth) : nil
        output = w.contains("proj.weight") ? try w["proj"].linear(inputs: d, outputs: d) : nil
    }
}

/// One stream of a block: modulation, attention, feed-forward.
struct SD3Stream: Sendable {
    let modulation: LinearWeight
    let attention: SD3Attention
    /// Attention among the stream's own tokens (SD3.5 medium).
    let second: SD3Attention?
    let expand: LinearWeight
    let contract: LinearWeight

    init(_ w: Weights, width d: Int) throws(CheckpointError) {
        second = w.contains("attn2.qkv.weight") ? try SD3Attention(w["attn2"], width: d) : nil
        modulation = try w["adaLN_modulation.1"].linear(inputs: d, outputs: (second == nil ? 6 : 9) * d)
        attention = try SD3Attention(w["attn"], width: d)
        expand = try w["mlp.fc1"].linear(inputs: d, outputs: 4 * d)
        contract = try w["mlp.fc2"].linear(inputs: 4 * d, outputs: d)
    }
}

/// Attention over text and picture with separate weights, each with its feed-forward layer (families-sd3-aura.md §2;
/// Esser et al. 2024).
struct SD3JointBlock: Sendable {
    /// The text's side; in a network's last block it only offers keys and values.
    enum Text: Sendable {
        case stream(SD3Stream)
        case last(PairModulation, SD3Attention)
    }
    let image: SD3Stream
    let text: Text
    private let width: Int
    private let heads: Int

    init(_ w: Weights, _ c: SD3Configuration) throws(CheckpointError) {
        width = c.width
        heads = c.heads
        image = try SD3Stream(w["x_block"], width: c.width)
        let side = w["context_block"]
        text =
            side.contains("attn.proj.weight")
            ? .stream(try SD3Stream(side, width: c.width))
            : .last(
                try PairModulation(side["adaLN_modulation.1"], inputs: c.width, width: c.width),
                try SD3Attention(side["attn"], width: c.width))
    }

    /// - Parameter vector: SiLU of the conditioning vector, `[batch, width]`.
    /// - Returns: both streams; the text's is the given one after a last block.
    func callAsFunction(
        _ img: Tensor, _ txt: Tensor, vector: Tensor, on b: any Backend
    ) throws -> (img: Tensor, txt: Tensor) {
        let imageMod = try ModulationParts(vector, image.modulation, width: width, on: b)
        let x = try SD3Block.normalised(img, imageMod.modulation(0), on: b)
        let attention: SD3Attention
        let textMod: ModulationParts?
        let y: Tensor
        switch text {
        case .stream(let stream):
            let mod = try ModulationParts(vector, stream.modulation, width: width, on: b)
            (attention, textMod) = (stream.attention, mod)
            y = try SD3Block.normalised(txt, mod.modulation(0), on: b)
        case .last(let modulation, let last):
            (attention, textMod) = (last, nil)
            y = try SD3Block.normalised(txt, modulation(vector, on: b), on: b)
        }
        let a = try SD3Block.attention([(y, attention), (x, image.attention)], heads: heads, on: b)
        let count = txt.shape[1]
        let imageOut = try SD3Block.finished(
            img, attention: tokens(a, count..<a.shape[1], on: b), image, imageMod, heads: heads, on: b)
        guard case .stream(let stream) = text, let textMod else { return (imageOut, txt) }
        let textOut = try SD3Block.finished(
            txt, attention: tokens(a, 0..<count, on: b), stream, textMod, heads: heads, on: b)
        return (imageOut, textOut)
    }
}

/// A block over the picture's tokens alone (Stability's SD3.5 ControlNets).
struct SD3ImageBlock: Sendable {
    private let stream: SD3Stream
    private let width: Int
    private let heads: Int

    init(_ w: Weights, width: Int) throws(CheckpointError) {
        stream = try SD3Stream(w, width: width)
        self.width = width
        heads = width / SD3Configuration.headWidth
    }

    func callAsFunction(_ img: Tensor, vector: Tensor, on b: any Backend) throws -> Tensor {
        let mod = try ModulationParts(vector, stream.modulation, width: width, on: b)
        let x = try SD3Block.normalised(img, mod.modulation(0), on: b)
        let a = try SD3Block.attention([(x, stream.attention)], heads: heads, on: b)
        return try SD3Block.finished(img, attention: a, stream, mod, heads: heads, on: b)
    }
}

/// The steps that blocks are made of.
enum SD3Block {
    static func normalised(_ x: Tensor, _ modulation: Modulation, on b: any Backend) throws(TensorError) -> Tensor {
        try b.layerNorm(x, weight: nil, bias: nil, epsilon: 1e-6, modulation: modulation, result: .compute)
    }

    /// One attention over the sequences one after the other, each with its own projections.
    static func attention(
        _ parts: [(x: Tensor, weights: SD3Attention)], heads: Int, on b: any Backend
    ) throws(TensorError) -> Tensor {
        var (q, k, v): ([HeadPart], [HeadPart], [HeadPart]) = ([], [], [])
        for (x, w) in parts {
            q.append(HeadPart(try b.linear(x, w.query), norm: w.queryNorm))
            k.append(HeadPart(try b.linear(x, w.key), norm: w.keyNorm))
            v.append(HeadPart(try b.linear(x, w.value, LinearEpilogue(result: .compute))))
        }
        return try b.attention(
            b.joinHeads(q, heads: heads, epsilon: 1e-6, rotary: nil),
            b.joinHeads(k, heads: heads, epsilon: 1e-6, rotary: nil),
            b.joinHeads(v, heads: heads, epsilon: 1e-6, rotary: nil), heads: heads,
            scale: 1 / Float(SD3Configuration.headWidth).squareRoot(), mask: .none, result: .compute)
    }

    /// The stream after a block, from what attention gave it.
    static func finished(
        _ stream: Tensor, attention: Tensor, _ w: SD3Stream, _ mod: ModulationParts, heads: Int, on b: any Backend
    ) throws(TensorError) -> Tensor {
        var s = stream
        if let output = w.attention.output {
            s = try b.linear(attention, output, LinearEpilogue(residual: Residual(s, gate: mod.gate(0))))
        }
        if let second = w.second, let output = second.output {
            // From the stream as it came in, like the first attention.
            let x = try normalised(stream, mod.modulation(6), on: b)
            let own = try Self.attention([(x, second)], heads: heads, on: b)
            s = try b.linear(own, output, LinearEpilogue(residual: Residual(s, gate: mod.gate(6))))
        }
        let h = try normalised(s, mod.modulation(3), on: b)
        let u = try b.linear(h, w.expand, LinearEpilogue(.geluTanh, result: .compute))
        return try b.linear(u, w.contract, LinearEpilogue(residual: Residual(s, gate: mod.gate(3))))
    }
}
