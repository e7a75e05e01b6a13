import CPUBackend
import Tensors

/// The double and single blocks of FLUX at their real widths, with random weights: what a denoise step is made of,
/// without model files. Achieved rate as a fraction of the product peak measured in the same run.
enum BlockBenchmark {
    static func run(_ options: Options) throws {
        for precision in options.precisions {
            let backend = CPUBackend(precision: precision, threads: options.threads)
            for side in [512, 1024] where options.only.map({ "\(side)".contains($0) }) ?? true {
                let step = try FluxStep(imageTokens: (side / 16) * (side / 16), textTokens: 256)
                let peak = try CPUBackend.measureGEMMPeak(
                    precision: precision, threads: options.threads, seconds: options.seconds, clock: options.clock)
                let time = try shortest(options) { try step.run(backend) }
                let rate = step.operations / time * 1e-9
                print(
                    padded("\(precision.rawValue) \(side) × \(side), 2 double and 4 single blocks", 48)
                        + column(time, 3) + " s" + column(rate) + " GFLOP/s" + column(rate / peak * 100, 1, width: 7)
                        + " % of \(column(peak, 1, width: 1))")
            }
        }
    }
}

/// Two double and four single blocks, as in `shared/bench`.
private struct FluxStep {
    private static let width = 3072
    private static let heads = 24
    private let image: Tensor
    private let text: Tensor
    private let vector: Tensor
    private let rotary: RotaryTable
    private let norm: Tensor
    private let modulation: LinearWeight
    private let singleModulation: LinearWeight
    private let qkv: LinearWeight
    private let projection: LinearWeight
    private let up: LinearWeight
    private let down: LinearWeight
    private let linear1: LinearWeight
    private let linear2: LinearWeight
    /// Floating-point operations of products and attention.
    let operations: Double

    init(imageTokens: Int, textTokens: Int) throws {
        let d = Self.width
        func weight(_ outputs: Int, _ inputs: Int) throws -> LinearWeight {
            LinearWeight(
                matrix: try filled([outputs, inputs], .bfloat16, scale: 0.02), bias: try filled([outputs], scale: 0.02))
        }
        image = try filled([1, imageTokens, d])
        text = try filled([1, textTokens, d])
        vector = try filled([1, d])
        let tokens = imageTokens + textTokens
        rotary = RotaryTable(cosine: try filled([tokens, 64]), sine: try filled([tokens, 64]))
        norm = try filled([128])
        modulation = try weight(6 * d, d)
        singleModulation = try weight(3 * d, d)
        qkv = try weight(3 * d, d)
        projection = try weight(d, d)
        up = try weight(4 * d, d)
        down = try weight(d, 4 * d)
        linear1 = try weight(7 * d, d)
        linear2 = try weight(d, 5 * d)
        let products = 2 * Double(tokens) * Double(12 * d * d)
        let attention = 4 * Double(tokens) * Double(tokens) * Double(d)
        let modulations = 2 * Double(2 * 12 + 4 * 3) * Double(d * d)
        operations = 6 * (products + attention) + modulations
    }

    func run(_ backend: CPUBackend) throws {
        var (x, context) = (image, text)
        for _ in 0..<2 { (x, context) = try double(x, context, backend) }
        var joined = try backend.concatenate([context, x], axis: 1)
        for _ in 0..<4 { joined = try single(joined, backend) }
    }

    private func columns(_ x: Tensor, _ index: Int, _ width: Int = Self.width) throws -> Tensor {
        try x.slice(axis: x.shape.rank - 1, index * width..<(index + 1) * width)
    }

    private func double(_ image: Tensor, _ text: Tensor, _ backend: CPUBackend) throws -> (Tensor, Tensor) {
        let signal = try backend.activate(vector, .silu, result: .full)
        var projections: [Tensor] = []
        var modulations: [Tensor] = []
        for stream in [text, image] {
            let m = try backend.linear(signal, modulation)
            modulations.append(m)
            let normed = try backend.layerNorm(
                stream, weight: nil, bias: nil, epsilon: 1e-6,
                modulation: Modulation(shift: columns(m, 0), scale: columns(m, 1)), result: .compute)
            projections.append(try backend.linear(normed, qkv, LinearEpilogue(result: .compute)))
        }
        func heads(_ index: Int, _ norm: Tensor?, _ rotary: RotaryTable?) throws -> Tensor {
            try backend.joinHeads(
                projections.map { HeadPart(try columns($0, index), norm: norm) }, heads: Self.heads, epsilon: 1e-6,
                rotary: rotary)
        }
        let attended = try backend.attention(
            heads(0, norm, rotary), heads(1, norm, rotary), heads(2, nil, nil), heads: Self.heads,
            scale: 1 / Float(128).squareRoot(), mask: .none, result: .compute)
        var results: [Tensor] = []
        var start = 0
        for (stream, m) in zip([text, image], modulations) {
            let part = try attended.slice(axis: 1, start..<start + stream.shape[1])
            start += stream.shape[1]
            let mixed = try backend.linear(
                part, projection, LinearEpilogue(residual: Residual(stream, gate: columns(m, 2))))
            let normed = try backend.layerNorm(
                mixed, weight: nil, bias: nil, epsilon: 1e-6,
                modulation: Modulation(shift: columns(m, 3), scale: columns(m, 4)), result: .compute)
            let hidden = try backend.linear(normed, up, LinearEpilogue(.geluTanh, result: .compute))
            results.append(
                try backend.linear(hidden, down, LinearEpilogue(residual: Residual(mixed, gate: columns(m, 5)))))
        }
        return (results[1], results[0])
    }

    private func single(_ x: Tensor, _ backend: CPUBackend) throws -> Tensor {
        let m = try backend.linear(backend.activate(vector, .silu, result: .full), singleModulation)
        let normed = try backend.layerNorm(
            x, weight: nil, bias: nil, epsilon: 1e-6,
            modulation: Modulation(shift: columns(m, 0), scale: columns(m, 1)),
            result: .compute)
        let d = Self.width
        let projected = try backend.linear(normed, linear1.rows(0..<3 * d), LinearEpilogue(result: .compute))
        let hidden = try backend.linear(
            normed, linear1.rows(3 * d..<7 * d), LinearEpilogue(.geluTanh, result: .compute))
        func heads(_ index: Int, _ norm: Tensor?, _ rotary: RotaryTable?) throws -> Tensor {
            try backend.joinHeads(
                [HeadPart(try columns(projected, index), norm: norm)], heads: Self.heads, epsilon: 1e-6, rotary: rotary)
        }
        let attended = try backend.attention(
            heads(0, norm, rotary), heads(1, norm, rotary), columns(projected, 2), heads: Self.heads,
            scale: 1 / Float(128).squareRoot(), mask: .none, result: .compute)
        return try backend.linear(
            [attended, hidden], linear2, LinearEpilogue(residual: Residual(x, gate: columns(m, 2))))
    }
}
