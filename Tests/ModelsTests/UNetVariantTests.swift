import CPUBackend
import Checkpoints
import Diffusion
import Foundation
import Sampling
import Tensors
import TestSupport
import Testing

@testable import Models

/// What is special about the SDXL refiner and T2I-adapters, of which there are no reference results, and about changes
/// that nodes make inside a UNet.
struct UNetVariantTests {
    /// A source with the keys that tell a UNet's form: no blocks but the first and `halvings`.
    private func shape(label columns: Int, halvings: Int) throws -> UNetEncoderShape {
        var tensors: [String: [Int]] = [
            "input_blocks.0.0.weight": [32, 4, 3, 3], "time_embed.0.weight": [128, 32],
            "label_emb.0.0.weight": [128, columns],
        ]
        for index in 1..<halvings + 1 { tensors["input_blocks.\(index).0.op.weight"] = [32, 32, 3, 3] }
        var source = WeightSource(name: "test")
        for (key, shape) in tensors { source = source.adding(key, try Tensor.zeros(Shape(shape))) }
        return try UNetEncoderShape(source)
    }

    private func call(_ change: (inout ConditioningEntry) -> Void) throws -> NetworkCall {
        var entry = ConditioningEntry(context: try Tensor.zeros([1, 77, 64]))
        entry[PooledOutput.self] = try Tensor((0..<16).map { Float($0) }, shape: [1, 16])
        change(&entry)
        let x = try Tensor.zeros([1, 4, 12, 20])
        let geometry = RunGeometry(latentShape: x.shape, latent: x, noiseMask: nil, sampling: DiscreteSampling())
        return NetworkCall(x: x, sigma: 1, time: 500, entry: entry, geometry: geometry)
    }

    /// The pooled text, then 256 components of each number: cosines, then sines of v · 10000^(−k/128).
    private func check(_ vector: Tensor?, numbers: [Double]) throws {
        let values = try #require(vector).floats()
        #expect(values.count == 16 + 256 * numbers.count)
        #expect(values.prefix(16).elementsEqual((0..<16).map { Float($0) }))
        for (index, number) in numbers.enumerated() {
            for k in [0, 1, 17, 64, 127] {
                let angle = number * pow(10000, -Double(k) / 128)
                let start = 16 + 256 * index
                #expect(abs(Double(values[start + k]) - cos(angle)) < 2e-4, "\(number), \(k)")
                #expect(abs(Double(values[start + 128 + k]) - sin(angle)) < 2e-4, "\(number), \(k)")
            }
        }
    }

    /// The refiner is told height, width, crop and how beautiful the picture should be: 6, in negatives 2.5.
    @Test func refinerIsToldItsScore() throws {
        let shape = try shape(label: 16 + 5 * 256, halvings: 3)
        #expect(shape.kind == .refiner)
        func vector(_ change: (inout ConditioningEntry) -> Void) throws -> Tensor? {
            try UNetInputs.vector(call(change), shape, name: "test")
        }
        try check(vector { _ in }, numbers: [96, 160, 0, 0, 6])
        try check(vector { $0[NegativePrompt.self] = true }, numbers: [96, 160, 0, 0, 2.5])
        try check(
            vector {
                $0[AestheticScore.self] = 7.25
                $0[NegativePrompt.self] = true
                $0[PictureHeight.self] = 512
                $0[PictureWidth.self] = 768
            }, numbers: [512, 768, 0, 0, 7.25])
    }

    /// SDXL is told height, width, crop (top, left) and target (height, width), which is the size where nothing else is
    /// said.
    @Test func baseIsToldItsTarget() throws {
        let shape = try shape(label: 16 + 6 * 256, halvings: 2)
        #expect(shape.kind == .sdxl)
        try check(
            UNetInputs.vector(call { $0[PictureHeight.self] = 640 }, shape, name: "test"),
            numbers: [640, 160, 0, 0, 640, 160])
        try check(
            UNetInputs.vector(
                call {
                    $0[PictureCropTop.self] = 3
                    $0[PictureCropLeft.self] = 5
                    $0[PictureTargetWidth.self] = 1024
                    $0[PictureTargetHeight.self] = 896
                }, shape, name: "test"), numbers: [96, 160, 3, 5, 896, 1024])
    }

    /// A pooled vector of another width is a text encoder of another family.
    @Test func otherPooledVectorsAreRefused() throws {
        let shape = try shape(label: 24 + 5 * 256, halvings: 3)
        let error = #expect(throws: CheckpointError.self) {
            _ = try UNetInputs.vector(call { _ in }, shape, name: "test")
        }
        #expect(error?.message.contains("24") == true && error?.message.contains("text encoder") == true)
    }

    /// Features of a small adapter against numpy (`Files/make_adapter.py`), and where they are added.
    @Test func adapterFeatures() throws {
        let file = try CheckpointFile(path: FluxTraceTests.file("adapter.safetensors"))
        let adapter = try UNetAdapter(WeightSource(file))
        #expect(adapter.kind == .sd1)
        let image = try #require(try file.tensor("in.image"))
        for backend in [CPUBackend(precision: .float32, threads: 2), ReferenceBackend()] as [any Backend] {
            let features = try adapter.features(of: image, height: 5, width: 3, on: backend)
            #expect(features.count == 4)
            for (level, feature) in features.enumerated() {
                let found = try backend.host(feature).permuted([0, 3, 1, 2]).asFloat32()
                let expected = try #require(try file.tensor("out.\(level)"))
                #expect(found.shape == expected.shape)
                #expect(try relativeError(found, expected) < 1e-5)
            }
            let residuals = adapter.residuals(features)
            for index in 0..<12 {
                #expect((residuals.residual("input", index) != nil) == [2, 5, 8, 11].contains(index))
            }
        }
    }

    /// Half the size, and back to that of the skip.
    @Test func deepShrink() throws {
        let sampling = DiscreteSampling()
        let shrink = DeepShrink(
            block: 3, factor: 2, isAfterSkip: true, range: PercentRange(start: 0.1, end: 0.35), sampling: sampling,
            shrinking: .area, growing: .nearestExact)
        let b = ReferenceBackend()
        let x = try Tensor((0..<4 * 6 * 2).map { Float($0) }, shape: [1, 4, 6, 2])
        let small = try shrink.shrunk(x, on: b)
        #expect(small.shape == [1, 2, 3, 2])
        // Means of 2 × 2 pixels: rows 0, 1 and columns 0, 1 hold 0, 2, 12, 14.
        #expect(try small.floats().prefix(2) == [7, 8])
        let large = try shrink.grown(small, to: x, on: b)
        #expect(large.shape == x.shape)
        #expect(try large.floats()[0] == 7 && large.floats()[14] == 7)
        #expect(shrink.isActive(at: Float(sampling.percentToSigma(0.2))))
        #expect(!shrink.isActive(at: Float(sampling.percentToSigma(0.05))))
        #expect(!shrink.isActive(at: Float(sampling.percentToSigma(0.5))))
        let odd = try shrink.shrunk(Tensor.zeros([1, 5, 1, 1]), on: b)
        #expect(odd.shape == [1, 2, 1, 1])
    }

    /// By hand: one head, keys of which the second is ln 3 · √2 higher for the first query.
    @Test func attentionThatIsReceived() throws {
        let probe = UNetAttentionProbe()
        let root = Float(2).squareRoot()
        let queries = try Tensor([1, 0, 0, 1], shape: [1, 2, 2])
        let keys = try Tensor([0, 0, log(Float(3)) * root, 0], shape: [1, 2, 2])
        try probe.record(queries: queries, keys: keys, heads: 1)
        #expect(try probe.map() == nil)
        probe.note(rows: 1, columns: 2)
        // Query 0 gives ¼ and ¾, query 1 one half to each.
        let map = try #require(try probe.map())
        #expect(map.shape == [1, 1, 1, 2])
        for (found, wanted) in zip(try map.floats(), [Float(0.75), 1.25]) { #expect(abs(found - wanted) < 1e-6) }
    }

    /// Blurred where much attention goes, sharp elsewhere; a constant stays what it is.
    @Test func blurWhereAttentionGoes() throws {
        let x = try Tensor((0..<2 * 4 * 4).map { Float($0 * $0 % 11) }, shape: [1, 2, 4, 4])
        let attention = try Tensor([1.5, 0.5, 0.5, 0.5], shape: [1, 1, 2, 2])
        let smooth = try SelfAttentionGuidance.gaussian(x, sigma: 2)
        let (sharp, blurred) = (try x.floats(), try smooth.floats())
        let mixed = try SelfAttentionGuidance.blur(x, where: attention, sigma: 2).floats()
        for i in mixed.indices {
            let (row, column) = (i % 16 / 4, i % 4)
            #expect(mixed[i] == (row < 2 && column < 2 ? blurred[i] : sharp[i]))
        }
        let flat = try SelfAttentionGuidance.gaussian(Tensor.full([1, 1, 3, 9], 0.4), sigma: 1)
        #expect(try flat.floats().allSatisfy { abs($0 - 0.4) < 1e-6 })
        #expect(try SelfAttentionGuidance.gaussian(x, sigma: 0).floats() == sharp)
        // By hand, along a line: weights exp(−k²/2) about the peak.
        var line = [Float](repeating: 0, count: 21)
        line[10] = 1
        let peak = try SelfAttentionGuidance.gaussian(Tensor(line, shape: [1, 1, 1, 21]), sigma: 1).floats()
        let total = (-4...4).reduce(0.0) { $0 + exp(-Double($1 * $1) / 2) }
        for k in -4...4 { #expect(abs(Double(peak[10 + k]) - exp(-Double(k * k) / 2) / total) < 1e-6) }
    }
}
