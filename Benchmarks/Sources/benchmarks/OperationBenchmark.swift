import CPUBackend
import Foundation
import Tensors

/// The operations of a FLUX denoise step at 512 × 512 (1,280 tokens) and 1024 × 1024 (4,352), and of an SDXL step at
/// 512 × 512, each as a fraction of the product peak or of the memory bandwidth measured in the same run.
enum OperationBenchmark {
    private struct Item {
        var name: String
        /// Floating-point operations, or 0 for what is bound by memory.
        var operations: Double
        /// Bytes read and written.
        var bytes: Double
        var body: (CPUBackend) throws -> Void
    }

    static func run(_ options: Options) throws {
        for precision in options.precisions {
            let backend = CPUBackend(precision: precision, threads: options.threads)
            print("\n\(precision.rawValue), \(options.threads) threads, \(backend.instructionSet)")
            let items = try items(backend).filter { options.only.map($0.name.contains) ?? true }
            for item in items {
                // Peak and operation in turns: the machine may be shared and its clock wanders.
                let peak = try CPUBackend.measureGEMMPeak(
                    precision: precision, threads: options.threads, seconds: options.seconds / 4, clock: options.clock)
                let time = try shortest(options) { try item.body(backend) }
                var line = padded(item.name, 58) + column(time * 1e3, 2) + " ms"
                if item.operations > 0 {
                    let rate = item.operations / time * 1e-9
                    line += column(rate) + " GFLOP/s" + column(rate / peak * 100, 1, width: 7) + " % of peak"
                } else {
                    line += column(item.bytes / time * 1e-9) + " GB/s"
                }
                print(line)
            }
        }
    }

    private static func items(_ backend: CPUBackend) throws -> [Item] {
        var items: [Item] = []
        let compute = backend.computeType
        func linear(
            _ tokens: Int, _ inputs: [Int], _ outputs: Int, _ type: DType, activation: Activation = .identity,
            result: ResultType = .compute, residual: Bool = false, rank: Int = 0
        ) throws {
            let width = inputs.reduce(0, +)
            var layer = LinearWeight(
                matrix: try filled([outputs, width], type, scale: 0.02), bias: try filled([outputs]))
            if rank > 0 {
                layer.adapters = [
                    LowRankAdapter(
                        rows: 0..<outputs, down: try filled([rank, width], .bfloat16),
                        up: try filled([outputs, rank], .bfloat16), factor: 0.01)
                ]
            }
            let x = try inputs.map { try filled([1, tokens, $0], tokens > 1 ? compute : .float32) }
            var epilogue = LinearEpilogue(activation, result: result)
            if residual {
                epilogue = LinearEpilogue(
                    residual: Residual(try filled([1, tokens, outputs]), gate: try filled([1, outputs])))
            }
            let shape = inputs.map(String.init).joined(separator: "+")
            let extra = (residual ? ", residual" : "") + (rank > 0 ? ", rank \(rank)" : "")
            items.append(
                Item(
                    name: "linear \(tokens) × \(shape) → \(outputs), \(type.rawValue)\(extra)",
                    operations: tokens > 8 ? 2 * Double(tokens) * Double(width) * Double(outputs) : 0,
                    bytes: Double(outputs * width * type.byteCount)
                ) { _ = try $0.linear(x, layer, epilogue) })
        }
        func attention(_ tokens: Int, heads: Int, width: Int, mask: AttentionMask = .none) throws {
            let q = try filled([1, tokens, heads * width], compute)
            let k = try filled([1, tokens, heads * width], compute)
            let v = try filled([1, tokens, heads * width], compute)
            items.append(
                Item(
                    name: "attention \(tokens) tokens, \(heads) heads of \(width)",
                    operations: 4 * Double(tokens) * Double(tokens) * Double(heads * width), bytes: 0
                ) {
                    _ = try $0.attention(
                        q, k, v, heads: heads, scale: 1 / Float(width).squareRoot(), mask: mask, result: .compute)
                })
        }
        try linear(1280, [3072], 21504, .bfloat16)
        try linear(1280, [3072, 12288], 3072, .bfloat16, residual: true)
        try linear(1024, [3072], 12288, .bfloat16, activation: .geluTanh)
        try linear(256, [3072], 9216, .bfloat16)
        try linear(1280, [3072], 21504, .float8e4m3)
        try linear(1280, [3072], 21504, .float16)
        try linear(1280, [3072], 21504, .bfloat16, rank: 64)
        try linear(4352, [3072], 21504, .bfloat16)
        try linear(77, [768], 3072, .float16)
        try linear(1, [3072], 18432, .bfloat16, result: .full)
        try linear(2, [3072], 18432, .float8e4m3, result: .full)
        try attention(1280, heads: 24, width: 128)
        try attention(4352, heads: 24, width: 128)
        try attention(256, heads: 64, width: 64)
        try attention(4096, heads: 1, width: 512)

        // SDXL: 32² pixels of 640 channels, 16² of 1280.
        try linear(1024, [640], 5120, .float16, result: .full)
        try linear(1024, [640], 5120, .bfloat16, result: .full)
        try linear(256, [1280], 1280, .float16)
        try linear(256, [1280], 1280, .bfloat16)
        try linear(256, [1280], 10240, .float16, result: .full)
        try linear(256, [1280], 10240, .bfloat16, result: .full)
        try linear(256, [1280], 10240, .bfloat16)
        try linear(256, [5120], 1280, .float16, residual: true)
        try linear(256, [5120], 1280, .bfloat16, residual: true)
        try attention(1024, heads: 10, width: 64)
        func convolution(_ side: Int, _ inputs: Int, _ outputs: Int, stride: Int = 1) throws {
            let x = try filled([1, side, side, inputs])
            let kernel = try filled([outputs, inputs, 3, 3], .float16, scale: 0.02)
            let bias = try filled([outputs])
            let pixels = Double(side * side / (stride * stride))
            items.append(
                Item(
                    name: "convolution \(side)² × \(inputs) → \(outputs), stride \(stride)",
                    operations: 18 * pixels * Double(inputs * outputs), bytes: 0
                ) {
                    _ = try $0.convolution(
                        x, kernel: kernel, bias: bias, stride: stride, padding: EdgePadding(1), activation: .identity,
                        operands: .compute)
                })
        }
        try convolution(64, 320, 320)
        try convolution(64, 960, 320)
        try convolution(64, 640, 640)
        try convolution(32, 640, 640)
        try convolution(32, 1920, 640)
        try convolution(32, 1280, 1280)
        try convolution(16, 1280, 1280)
        try convolution(16, 2560, 1280)
        try convolution(64, 320, 320, stride: 2)

        let x = try filled([1, 1280, 3072])
        let vectors = try filled([1, 3072])
        let modulation = Modulation(shift: vectors, scale: vectors)
        let size = Double(1280 * 3072)
        items.append(
            Item(name: "layerNorm 1280 × 3072, modulated", operations: 0, bytes: size * Double(4 + compute.byteCount)) {
                _ = try $0.layerNorm(
                    x, weight: nil, bias: nil, epsilon: 1e-6, modulation: modulation, result: .compute)
            })
        let fused = try filled([1, 1280, 21504], compute)
        let q = try fused.slice(axis: 2, 0..<3072)
        let norm = try filled([128])
        let table = RotaryTable(cosine: try filled([1280, 64]), sine: try filled([1280, 64]))
        items.append(
            Item(name: "joinHeads 1280 × 24 × 128", operations: 0, bytes: size * 2 * Double(compute.byteCount)) {
                _ = try $0.joinHeads([HeadPart(q, norm: norm)], heads: 24, epsilon: 1e-6, rotary: table)
            })
        let gate = try fused.slice(axis: 2, 9216..<21504)
        items.append(
            Item(name: "activate geluTanh 1280 × 12288", operations: 0, bytes: size * 8 * Double(compute.byteCount)) {
                _ = try $0.activate(gate, .geluTanh, result: .compute)
            })
        items.append(
            Item(name: "add 1280 × 3072", operations: 0, bytes: size * 12) { _ = try $0.add(x, x) })
        let large = try filled([1, 256, 256, 256])
        let channels = try filled([256])
        items.append(
            Item(name: "groupNorm 256 × 256 × 256, silu", operations: 0, bytes: Double(large.count) * 12) {
                _ = try $0.groupNorm(
                    large, groups: 32, weight: channels, bias: channels, epsilon: 1e-6, activation: .silu)
            })
        if compute == .float32 {
            for (side, inputs, outputs, stride) in [
                (64, 16, 512, 1), (64, 512, 512, 1), (128, 512, 512, 1), (256, 512, 256, 1), (256, 256, 256, 1),
                (512, 256, 128, 1), (512, 128, 128, 1), (512, 128, 3, 1), (512, 3, 128, 1), (512, 128, 128, 2),
            ] {
                let picture = try filled([1, side, side, inputs])
                let kernel = try filled([outputs, inputs, 3, 3], scale: 0.02)
                let bias = try filled([outputs])
                let pixels = Double(side * side / stride / stride)
                items.append(
                    Item(
                        name: "convolution \(side)², \(inputs) → \(outputs), stride \(stride)",
                        operations: 18 * pixels * Double(inputs * outputs), bytes: 0
                    ) {
                        _ = try $0.convolution(
                            picture, kernel: kernel, bias: bias, stride: stride,
                            padding: stride == 1 ? EdgePadding(1) : EdgePadding(top: 0, left: 0, bottom: 1, right: 1),
                            activation: .identity)
                    })
            }
        }
        return items
    }
}
