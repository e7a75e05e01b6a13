import Checkpoints
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

@testable import CPUBackend

/// Every row of the reference's table of single operations (goldens "ops/tensor-ops"), on the backend and on the plain
/// reference that it is tested against. FreeU's filter is in `UNetTests`.
@Suite struct TensorOperationGoldens {
    private let golden: CheckpointFile

    init() throws { golden = try CheckpointFile(path: FluxTraceTests.file("tensor-ops.safetensors")) }

    static let backends: [any Backend] = [
        CPUBackend(precision: .float32, threads: 2),
        CPUBackend(precision: .float32, threads: 1, instructionSet: .baseline, usesLibraries: false),
        ReferenceBackend(),
    ]

    private func tensor(_ key: String) throws -> Tensor { try #require(try golden.tensor(key), "\(key)") }

    private func compare(_ found: Tensor, _ key: String, within tolerance: Double = 2e-6) throws {
        let expected = try tensor(key)
        #expect(found.shape == expected.shape, "\(key)")
        let error = try relativeError(found.asFloat32(), expected)
        #expect(error < tolerance, "\(key): \(error)")
    }

    @Test func nothingIsLeftOut() {
        let operations = Set(golden.keys.map { String($0.prefix { $0 != "." }) })
        #expect(
            operations == ["act", "attention", "conv", "fourier", "norm", "special", "timestep-embedding"])
        #expect(golden.keys.count == 39)
    }

    @Test(arguments: [32, 64, 256, 320]) func timesAsSinusoids(_ width: Int) throws {
        let times = try tensor("timestep-embedding.t").floats()
        try compare(timeEmbedding(times, width: width), "timestep-embedding.\(width)", within: 2e-5)
    }

    @Test(arguments: backends.indices) func norms(_ index: Int) throws {
        let b = Self.backends[index]
        let (weight, bias) = (try tensor("norm.weight"), try tensor("norm.bias"))
        let picture = try tensor("norm.x").permuted([0, 2, 3, 1]).asFloat32()
        for (name, epsilon) in [("1e-5", Float(1e-5)), ("1e-6", 1e-6)] {
            let grouped = try b.host(
                b.groupNorm(
                    b.place(picture), groups: 32, weight: weight, bias: bias, epsilon: epsilon, activation: .identity))
            try compare(grouped.permuted([0, 3, 1, 2]), "norm.group32.eps" + name)
        }
        let tokens = try b.place(picture.reshaped([2, 30, 64]))
        let layered = try b.layerNorm(
            tokens, weight: weight, bias: bias, epsilon: 1e-5, modulation: nil, result: .full)
        try compare(b.host(layered), "norm.layer.eps1e-5")
        let scaled = try b.rmsNorm(tokens, weight: weight, epsilon: 1e-6, modulation: nil, result: .full)
        try compare(b.host(scaled), "norm.rms.eps1e-6")
    }

    @Test(arguments: backends.indices) func activations(_ index: Int) throws {
        let b = Self.backends[index]
        let x = try b.place(tensor("act.x"))
        let kinds: [(String, Activation)] = [
            ("gelu", .gelu), ("gelu-tanh", .geluTanh), ("quick-gelu", .quickGelu), ("silu", .silu),
        ]
        for (name, activation) in kinds {
            try compare(b.host(b.activate(x, activation, result: .full)), "act." + name)
        }
    }

    @Test(arguments: backends.indices) func attention(_ index: Int) throws {
        let b = Self.backends[index]
        func joined(_ key: String) throws -> Tensor {
            let x = try tensor("attention." + key).permuted([0, 2, 1, 3]).asFloat32()
            return try b.place(x.reshaped([2, x.shape[1], 48]))
        }
        let (q, k, v) = (try joined("q"), try joined("k"), try joined("v"))
        let mask = try tensor("attention.mask").reshaped([1, 1, 7, 11])
        for (name, mask) in [("out", AttentionMask.none), ("out-masked", .additive(try b.place(mask)))] {
            let out = try b.host(b.attention(q, k, v, heads: 3, scale: 0.25, mask: mask, result: .full))
            try compare(out.reshaped([2, 7, 3, 16]).permuted([0, 2, 1, 3]), "attention." + name)
        }
    }

    @Test(arguments: backends.indices) func convolutions(_ index: Int) throws {
        let b = Self.backends[index]
        let x = try b.place(tensor("conv.x").permuted([0, 2, 3, 1]).asFloat32())
        let kinds: [(String, Int, EdgePadding)] = [
            ("pad1", 1, EdgePadding(1)), ("stride2.pad1", 2, EdgePadding(1)),
            ("stride2.pad-right-bottom", 2, EdgePadding(top: 0, left: 0, bottom: 1, right: 1)),
        ]
        for (name, stride, padding) in kinds {
            let out = try b.convolution(
                x, kernel: tensor("conv.weight"), bias: tensor("conv.bias"), stride: stride, padding: padding,
                activation: .identity)
            try compare(b.host(out).permuted([0, 3, 1, 2]), "conv." + name)
        }
    }

    /// The functions of schedules, quantiles and activations are the C library's; they equal the reference's.
    @Test func functions() throws {
        let x = try tensor("special.x").floats()
        func compare(_ name: String, _ function: (Float) -> Float) throws {
            for (x, expected) in zip(x, try tensor("special." + name).floats()) {
                let found = function(x)
                #expect(abs(found - expected) <= 2e-6 * max(1, abs(expected)), "\(name) of \(x): \(found)")
            }
        }
        try compare("erf") { erf($0) }
        try compare("expm1") { expm1(-$0) }
        try compare("lgamma") { lgamma($0).0 }
        try compare("log1p") { log1p($0) }
        try compare("tan") { tan(atan($0)) }
        let logits = try tensor("special.logit").floats()
        for (index, expected) in logits.enumerated() {
            let p = 0.01 + 0.98 * Float(index) / Float(logits.count - 1)
            #expect(abs(log(p / (1 - p)) - expected) <= 5e-6 * max(1, abs(expected)))
        }
    }
}
