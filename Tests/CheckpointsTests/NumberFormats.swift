import Diffusion
import Foundation
import Tensors
import Testing

@testable import Checkpoints

/// Narrow number formats and merged LoRA weights against the reference (goldens "formats/fp8", "ops/formats-lora").
@Suite struct NumberFormats {
    private func file(_ path: String) throws -> CheckpointFile {
        try CheckpointFile(path: Bundle.module.bundleURL.appendingPathComponent("Files/" + path).path)
    }

    @Test func fp8CodesHaveTheirValues() throws {
        let tables = try file("fp8/tables.safetensors")
        for (key, type) in [("e4m3fn", DType.float8e4m3), ("e5m2", .float8e5m2)] {
            let codes = try Tensor.build([256], of: UInt8.self) { out in
                for i in 0..<256 { out[i] = UInt8(i) }
            }
            let fp8 = try Tensor(storage: codes.storage, dtype: type, shape: [256])
            let values = try fp8.floats()
            let expected = try #require(try tables.tensor(key)).floats()
            for (a, e) in zip(values, expected) { #expect(a == e || (a.isNaN && e.isNaN)) }
            // Widening to bf16 is exact.
            let wide = try fp8.converted(to: .bfloat16).floats()
            for (a, e) in zip(wide, expected) { #expect(a == e || (a.isNaN && e.isNaN)) }
        }
    }

    @Test func roundingToFP8() throws {
        let rounding = try file("fp8/rounding.safetensors")
        let input = try #require(try rounding.tensor("in"))
        for (key, type) in [("out.e4m3fn", DType.float8e4m3), ("out.e5m2", .float8e5m2)] {
            let codes = try input.converted(to: type).withBytes { Array($0) }
            let expected = try #require(try rounding.tensor(key)).withBytes { Array($0) }
            let values = try input.floats()
            for i in codes.indices {
                if values[i].isNaN {
                    // Any NaN code will do.
                    let decoded = try Tensor(
                        storage: input.converted(to: type).storage, dtype: type, shape: input.shape)
                    #expect(try decoded.floats()[i].isNaN)
                } else {
                    #expect(codes[i] == expected[i], "\(values[i]) to \(type.rawValue)")
                }
            }
        }
    }

    @Test func halfFloatsRoundTrip() throws {
        let codes = (0..<65536).map { UInt16($0) }
        let tensor = try Tensor.buildBytes([65536], dtype: .float16) { out throws(TensorError) in
            codes.withUnsafeBytes { out.copyMemory(from: $0) }
        }
        let floats = try tensor.floats()
        for (code, value) in zip(codes, floats) {
            #expect(value == Float(Float16(bitPattern: code)) || value.isNaN)
        }
        let back = try Tensor(floats).converted(to: .float16).withBytes { Array($0.bindMemory(to: UInt16.self)) }
        for (code, value) in zip(codes, back) where !Float16(bitPattern: code).isNaN { #expect(code == value) }
    }

    @Test func castingToNarrowTypes() throws {
        let golden = try file("formats-lora.safetensors")
        let x = try #require(try golden.tensor("cast.x"))
        for type in [DType.float16, .bfloat16, .float8e4m3, .float8e5m2] {
            let name =
                ["F16": "f16", "BF16": "bf16", "F8_E4M3": "f8_e4m3fn", "F8_E5M2": "f8_e5m2"][type.rawValue] ?? ""
            let expected = try #require(try golden.tensor("cast.\(name).as-f32")).floats()
            let values = try x.converted(to: type).floats()
            for (value, wanted) in zip(values, expected) {
                // The golden has NaN for what is too large for e4m3fn; newer torch, as we, its largest number.
                if wanted.isNaN { #expect(value.isNaN || abs(value) == 448) } else { #expect(value == wanted) }
            }
        }
    }

    /// weight + 0.7 · alpha/rank · up · down, rounded to the storage type; fp8 stochastically, bit for bit.
    @Test(arguments: ["f32", "f16", "bf16", "f8_e4m3fn", "f8_e5m2"])
    func mergedLoRA(_ name: String) throws {
        let golden = try file("formats-lora.safetensors")
        func tensor(_ key: String) throws -> Tensor { try #require(try golden.tensor(key)) }
        let types: [String: DType] = [
            "f16": .float16, "bf16": .bfloat16, "f8_e4m3fn": .float8e4m3, "f8_e5m2": .float8e5m2,
        ]
        let (weight, up, down) = (try tensor("lora.weight"), try tensor("lora.up"), try tensor("lora.down"))
        let factor = try 0.7 * tensor("lora.alpha").floats()[0] / Float(down.shape[0])
        let layer = "input_blocks.1.1.transformer_blocks.0.attn1.to_q"
        var source = WeightSource(
            name: "golden",
            pieces: [
                layer + ".weight": [WeightPiece(rows: 0..<weight.shape[0], tensor: weight, fileKey: layer)]
            ])
        source.heldAs = types[name]
        source.roundsPatches = true
        source.fullNamePrefix = "diffusion_model."
        source = source.patched([
            layer + ".weight": [WeightPatch(.lowRank(down: down, up: up, factor: factor))]
        ])
        let linear = try Weights(source)[layer].linear(inputs: 16, outputs: 24)
        let expected = try tensor("lora.merged." + name).floats()
        if types[name] == nil {
            // Kept apart: the sum is the backend's business.
            #expect(linear.adapters.count == 1)
            #expect(linear.adapters.first?.factor == factor)
            return
        }
        #expect(linear.adapters.isEmpty)
        let values = try linear.matrix.floats()
        // A sum in another order may fall on the other side of a rounding boundary: allow one such place in 384.
        let different = zip(values, expected).count { $0 != $1 }
        #expect(different <= 1, "\(different) of \(values.count) values differ")
    }

    private func merged(_ weight: Tensor, _ lora: [String: Tensor], strength: Float) throws -> [Float] {
        let file = try LoRAFile(NamedTensors(name: "test", tensors: lora))
        let (patches, report) = try file.patches(["layer": LoRATarget("layer.weight")], strength: strength)
        #expect(report.used == Set(lora.keys))
        var source = WeightSource(
            name: "test",
            pieces: ["layer.weight": [WeightPiece(rows: 0..<weight.shape[0], tensor: weight, fileKey: "layer.weight")]])
        source = source.patched(patches)
        return try Weights(source)["layer"].whole("weight").floats()
    }

    /// The weight rescaled row by row (golden: strength 0.7).
    @Test func mergedDoRA() throws {
        let golden = try file("formats-lora.safetensors")
        func tensor(_ key: String) throws -> Tensor { try #require(try golden.tensor(key)) }
        let values = try merged(
            tensor("lora.weight"),
            [
                "layer.lora_up.weight": tensor("lora.up"), "layer.lora_down.weight": tensor("lora.down"),
                "layer.alpha": tensor("lora.alpha"), "layer.dora_scale": tensor("lora.dora-scale"),
            ], strength: 0.7)
        for (value, wanted) in zip(values, try tensor("lora.merged.dora").floats()) {
            #expect(abs(value - wanted) < 1e-5)
        }
    }

    /// A 3×3 kernel (golden: alpha 3, rank 4, strength −0.5).
    @Test func mergedKernel() throws {
        let golden = try file("formats-lora.safetensors")
        func tensor(_ key: String) throws -> Tensor { try #require(try golden.tensor(key)) }
        let values = try merged(
            tensor("locon.weight"),
            [
                "layer.lora_up.weight": tensor("locon.up"), "layer.lora_down.weight": tensor("locon.down"),
                "layer.alpha": Tensor([3], shape: []),
            ], strength: -0.5)
        for (value, wanted) in zip(values, try tensor("locon.merged").floats()) { #expect(abs(value - wanted) < 1e-5) }
    }

    /// By hand: (a₁b₁) ∘ (a₂b₂) · alpha/rank.
    @Test func hadamardProduct() throws {
        let values = try merged(
            Tensor([1, 1, 1, 1], shape: [2, 2]),
            [
                "layer.hada_w1_a": Tensor([1, 2], shape: [2, 1]), "layer.hada_w1_b": Tensor([3, 4], shape: [1, 2]),
                "layer.hada_w2_a": Tensor([5, 6], shape: [2, 1]), "layer.hada_w2_b": Tensor([7, 8], shape: [1, 2]),
                "layer.alpha": Tensor([0.5], shape: []),
            ], strength: 2)
        // 1 + [[3, 4], [6, 8]] ∘ [[35, 40], [42, 48]]: factor alpha/rank · strength is 1.
        let expected: [Float] = [106, 161, 253, 385]
        #expect(values == expected)
    }

    /// By hand: [[1, 2]] ⊗ (a·b), rank 1.
    @Test func kroneckerProduct() throws {
        let values = try merged(
            Tensor([0, 0, 0, 0, 0, 0, 0, 0], shape: [2, 4]),
            [
                "layer.lokr_w1": Tensor([1, 2], shape: [1, 2]), "layer.lokr_w2_a": Tensor([1, 10], shape: [2, 1]),
                "layer.lokr_w2_b": Tensor([3, 4], shape: [1, 2]), "layer.alpha": Tensor([2], shape: []),
            ], strength: 1)
        let expected: [Float] = [6, 8, 12, 16, 60, 80, 120, 160]
        #expect(values == expected)
    }

    /// By hand: up · (core contracted with down), a 1×2 kernel.
    @Test func coreFactor() throws {
        let values = try merged(
            Tensor([0, 0], shape: [1, 1, 1, 2]),
            [
                "layer.lora_up.weight": Tensor([1, 2], shape: [1, 2, 1, 1]),
                "layer.lora_mid.weight": Tensor([1, 2, 3, 4, 5, 6, 7, 8], shape: [2, 2, 1, 2]),
                "layer.lora_down.weight": Tensor([1, 10], shape: [2, 1, 1, 1]),
            ], strength: 1)
        // Core rows: p=0: [1, 2] + 10·[3, 4] = [31, 42]; p=1: [5, 6] + 10·[7, 8] = [75, 86].
        let expected: [Float] = [181, 214]
        #expect(values == expected)
    }

    @Test func factorsOfOtherSizesAreRefused() throws {
        let weight = try Tensor([1, 1, 1, 1], shape: [2, 2])
        let wrong: [[String: Tensor]] = try [
            [
                "layer.hada_w1_a": Tensor([1], shape: [1, 1]), "layer.hada_w1_b": Tensor([1, 1, 1], shape: [3, 1]),
                "layer.hada_w2_a": Tensor([1], shape: [1, 1]), "layer.hada_w2_b": Tensor([1], shape: [1, 1]),
            ],
            [
                "layer.lora_up.weight": Tensor([1, 1], shape: [2, 1]),
                "layer.lora_down.weight": Tensor([1, 1, 1], shape: [1, 3]),
            ],
            ["layer.lokr_w1": Tensor([1], shape: [1]), "layer.lokr_w2": Tensor([1], shape: [1])],
        ]
        for lora in wrong {
            #expect(throws: CheckpointError.self) { try merged(weight, lora, strength: 1) }
        }
    }
}
