import CPUBackend
import Tensors
import TestSupport
import Testing

/// Operands that do not fit are refused with an error that names the operation and what was found; nothing traps.
@Suite struct BadOperands {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// What the message must contain.
        let words: [String]
        let run: @Sendable (any Backend) throws -> Void

        init(_ name: String, _ words: [String], _ run: @escaping @Sendable (any Backend) throws -> Void) {
            testDescription = name
            self.words = words
            self.run = run
        }
    }

    static let cases: [Case] = [
        Case("linear: width", ["linear", "[2, 5]", "[3, 4]"]) {
            _ = try $0.linear(noise([2, 5], 1), LinearWeight(matrix: noise([3, 4], 2)))
        },
        Case("linear: a vector as weight", ["linear", "[4]"]) {
            _ = try $0.linear(noise([2, 4], 1), LinearWeight(matrix: noise([4], 2)))
        },
        Case("linear: no operand", ["linear"]) {
            _ = try $0.linear([], LinearWeight(matrix: noise([3, 4], 2)), LinearEpilogue())
        },
        Case("linear: blocks of different length", ["[2, 3]", "[1, 1]"]) {
            _ = try $0.linear(
                [noise([2, 3], 1), noise([1, 1], 1)], LinearWeight(matrix: noise([3, 4], 2)), LinearEpilogue())
        },
        Case("linear: bias", ["bias", "[4]", "3"]) {
            _ = try $0.linear(noise([2, 4], 1), LinearWeight(matrix: noise([3, 4], 2), bias: noise([4], 3)))
        },
        Case("linear: residual", ["residual", "[2, 4]", "[2, 3]"]) {
            _ = try $0.linear(
                noise([2, 4], 1), LinearWeight(matrix: noise([3, 4], 2)),
                LinearEpilogue(residual: Residual(noise([2, 4], 1))))
        },
        Case("linear: gate", ["gate", "[3, 3]", "[2, 3]"]) {
            _ = try $0.linear(
                noise([2, 5, 4], 1), LinearWeight(matrix: noise([3, 4], 2)),
                LinearEpilogue(residual: Residual(noise([2, 5, 3], 1), gate: noise([3, 3], 1))))
        },
        Case("linear: adapter beyond the rows", ["adapter", "2..<5"]) {
            var weight = LinearWeight(matrix: try noise([4, 4], 2))
            weight.adapters = [
                LowRankAdapter(rows: 2..<5, down: try noise([2, 4], 1), up: try noise([3, 2], 1), factor: 1)
            ]
            _ = try $0.linear(noise([2, 4], 1), weight)
        },
        Case("linear: adapter of another rank", ["adapter", "[2, 4]", "[4, 3]"]) {
            var weight = LinearWeight(matrix: try noise([4, 4], 2))
            weight.adapters = [
                LowRankAdapter(rows: 0..<4, down: try noise([2, 4], 1), up: try noise([4, 3], 1), factor: 1)
            ]
            _ = try $0.linear(noise([20, 4], 1), weight)
        },
        Case("attention: widths", ["attention", "[1, 3, 8]", "[1, 3, 6]"]) {
            _ = try $0.attention(
                noise([1, 3, 8], 1), noise([1, 3, 6], 1), noise([1, 3, 6], 1), heads: 2, scale: 1, mask: .none,
                result: .full)
        },
        Case("attention: heads", ["attention", "8", "3"]) {
            let x = try noise([1, 3, 8], 1)
            _ = try $0.attention(x, x, x, heads: 3, scale: 1, mask: .none, result: .full)
        },
        Case("attention: no heads", ["attention"]) {
            let x = try noise([1, 3, 8], 1)
            _ = try $0.attention(x, x, x, heads: 0, scale: 1, mask: .none, result: .full)
        },
        Case("attention: mask", ["[1, 1, 3, 4]"]) {
            let x = try noise([1, 3, 8], 1)
            _ = try $0.attention(
                x, x, x, heads: 2, scale: 1, mask: .additive(noise([1, 1, 3, 4], 1)), result: .full)
        },
        Case("joinHeads: nothing", ["joinHeads"]) { _ = try $0.joinHeads([], heads: 1, epsilon: 0, rotary: nil) },
        Case("joinHeads: parts of different width", ["joinHeads", "[1, 2, 6]"]) {
            _ = try $0.joinHeads(
                [HeadPart(noise([1, 2, 8], 1)), HeadPart(noise([1, 2, 6], 1))], heads: 2, epsilon: 0, rotary: nil)
        },
        Case("joinHeads: rotary tables", ["[3, 2]", "[2, 2]"]) {
            _ = try $0.joinHeads(
                [HeadPart(noise([1, 2, 8], 1))], heads: 2, epsilon: 0,
                rotary: RotaryTable(cosine: noise([3, 2], 1), sine: noise([3, 2], 1)))
        },
        Case("joinHeads: norm", []) {
            _ = try $0.joinHeads(
                [HeadPart(noise([1, 2, 8], 1), norm: noise([3], 1))], heads: 2, epsilon: 0, rotary: nil)
        },
        Case("layerNorm: weight", []) {
            _ = try $0.layerNorm(
                noise([2, 4], 1), weight: noise([3], 1), bias: nil, epsilon: 0, modulation: nil, result: .full)
        },
        Case("rmsNorm: modulation", ["[2, 3]"]) {
            _ = try $0.rmsNorm(
                noise([2, 5, 4], 1), weight: nil, epsilon: 0,
                modulation: Modulation(shift: nil, scale: noise([2, 3], 1)),
                result: .full)
        },
        Case("layerNorm: modulation of a vector", []) {
            _ = try $0.layerNorm(
                noise([4], 1), weight: nil, bias: nil, epsilon: 0,
                modulation: Modulation(shift: nil, scale: noise([1, 4], 1)),
                result: .full)
        },
        Case("groupNorm: groups", ["groupNorm"]) {
            _ = try $0.groupNorm(
                noise([1, 2, 2, 6], 1), groups: 4, weight: noise([6], 1), bias: noise([6], 1), epsilon: 0,
                activation: .silu)
        },
        Case("convolution: channels", ["convolution", "[1, 4, 4, 3]", "[2, 4, 3, 3]"]) {
            _ = try $0.convolution(
                noise([1, 4, 4, 3], 1), kernel: noise([2, 4, 3, 3], 1), bias: nil, stride: 1, padding: EdgePadding(1),
                activation: .identity)
        },
        Case("convolution: picture smaller than the kernel", ["convolution"]) {
            _ = try $0.convolution(
                noise([1, 1, 4, 3], 1), kernel: noise([2, 3, 3, 3], 1), bias: nil, stride: 1, padding: EdgePadding(0),
                activation: .identity)
        },
        Case("convolution: stride", ["convolution"]) {
            _ = try $0.convolution(
                noise([1, 4, 4, 3], 1), kernel: noise([2, 3, 3, 3], 1), bias: nil, stride: 0, padding: EdgePadding(1),
                activation: .identity)
        },
        Case("resizeNearest: no picture", ["resizeNearest"]) {
            _ = try $0.resizeNearest(noise([4, 4], 1), height: 2, width: 2)
        },
        Case("resizeNearest: negative", ["resizeNearest"]) {
            _ = try $0.resizeNearest(noise([1, 4, 4, 1], 1), height: -2, width: 2)
        },
        Case("resizeNearest: enormous", ["resizeNearest"]) {
            _ = try $0.resizeNearest(noise([1, 4, 4, 1], 1), height: 1 << 40, width: 1 << 40)
        },
        Case("gather: row", ["gather", "4"]) { _ = try $0.gather(noise([4, 2], 1), rows: [0, 4], heldAs: nil) },
        Case("gather: negative row", ["gather", "-1"]) {
            _ = try $0.gather(noise([4, 2], 1), rows: [-1], heldAs: nil)
        },
        Case("add: shapes", ["[2, 3]", "[3, 2]"]) { _ = try $0.add(noise([3, 2], 1), noise([2, 3], 1)) },
        Case("gated: shapes", ["[2, 3]", "[3, 2]"]) {
            _ = try $0.gated(noise([3, 2], 1), noise([2, 3], 1), .silu, result: .full)
        },
        Case("concatenate: nothing", ["concatenate"]) { _ = try $0.concatenate([], axis: 0) },
        Case("concatenate: axis", ["2"]) { _ = try $0.concatenate([noise([2, 2], 1)], axis: 2) },
        Case("concatenate: shapes", ["[2, 3]", "[2, 2]"]) {
            _ = try $0.concatenate([noise([2, 2], 1), noise([2, 3], 1)], axis: 0)
        },
    ]

    @Test(arguments: cases) func areRefused(_ bad: Case) throws {
        for backend in [CPUBackend(precision: .float32, threads: 2), CPUBackend(precision: .bfloat16, threads: 2)] {
            let error = #expect(throws: TensorError.self) { try bad.run(backend) }
            for word in bad.words { #expect(error?.message.contains(word) == true, "\(error?.message ?? "no error")") }
        }
        #expect(throws: TensorError.self) { try bad.run(ReferenceBackend()) }
    }
}
