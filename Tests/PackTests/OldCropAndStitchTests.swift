import NodeKit
import Tensors
import Testing

/// InpaintCrop and InpaintStitch: sizes worked out by hand for the spot of 18×14 pixels, and what stitching must keep.
struct OldCropAndStitchTests {
    /// Nothing but the spot itself.
    private static let plain: [String: any NodeValue] = [
        "context_expand_pixels": 0, "context_expand_factor": 1.0, "fill_mask_holes": false, "blur_mask_pixels": 0.0,
        "blend_pixels": 0.0, "rescale_algorithm": "nearest", "mode": "free size", "rescale_factor": 1.0, "padding": 1,
    ]

    private func inputs(_ changes: [String: any NodeValue]) throws -> [String: any NodeValue] {
        var inputs = Self.plain.merging(changes) { $1 }
        inputs["image"] = try Fixture.image("scene")
        inputs["mask"] = try Fixture.mask("spot")
        return inputs
    }

    @Test(
        arguments: [
            ("as it is", [:], [18, 14]),
            ("scaled", ["rescale_factor": 2.0], [36, 28]),
            ("padded", ["rescale_factor": 2.0, "padding": 8], [40, 32]),
            // 4.5 and 3.5 pixels for the factor (halves to even: 4 and 4), and 5, on each side.
            ("context", ["context_expand_factor": 1.5, "context_expand_pixels": 5], [36, 32]),
            ("forced", ["mode": "forced size", "force_width": 100, "force_height": 30, "padding": 8], [104, 32]),
            // Times 64 / 14, the larger of the two that the smallest size asks for.
            (
                "ranged up",
                [
                    "mode": "ranged size", "min_width": 64, "min_height": 64, "max_width": 96, "max_height": 96,
                    "padding": 8,
                ], [88, 64]
            ),
            (
                "ranged down",
                ["mode": "ranged size", "min_width": 0, "min_height": 0, "max_width": 9, "max_height": 9], [9, 7]
            ),
        ] as [(String, [String: any NodeValue], [Int])])
    func sizes(name: String, changes: [String: any NodeValue], size: [Int]) async throws {
        let results = try await call("InpaintCrop", inputs(changes))
        #expect((results[1].first as? Image)?.tensor.shape == [1, size[1], size[0], 3], "\(name)")
        #expect((results[2].first as? Mask)?.tensor.shape == [1, size[1], size[0]], "\(name)")
    }

    @Test(arguments: ["nearest", "bilinear", "bicubic", "bislerp", "lanczos"])
    func whatIsNotPaintedStays(method: String) async throws {
        let scene = try Fixture.image("scene")
        let results = try await call(
            "InpaintCrop",
            inputs(["mode": "forced size", "force_width": 72, "force_height": 72, "rescale_algorithm": method]))
        let black = Image(try .zeros([1, 72, 72, 3]))
        let stitched: Image = try await result(
            "InpaintStitch",
            ["stitch": try #require(results[0].first), "inpainted_image": black, "rescale_algorithm": method])
        let mask = try Fixture.mask("spot").tensor.floats()
        let (before, after) = (try scene.tensor.floats(), try stitched.tensor.floats())
        #expect(before.count == after.count && mask.contains(1))
        // Resizing the mask there and back blurs its edge; two pixels away from it everything is old or new.
        var (kept, painted) = (0, 0)
        for pixel in mask.indices {
            switch Set(neighbours(of: pixel, in: mask, width: scene.width)) {
            case [0]:
                kept += 1
                #expect(before[3 * pixel] == after[3 * pixel], "\(pixel)")
            case [1]:
                painted += 1
                #expect(after[3 * pixel] < 0.05, "\(pixel)")
            default: continue
            }
        }
        #expect(kept > 1000 && painted > 10)
    }

    /// The values of a mask up to two pixels from one.
    private func neighbours(of pixel: Int, in mask: [Float], width: Int) -> [Float] {
        let (x, y) = (pixel % width, pixel / width)
        let rows = (max(y - 2, 0)...y + 2).filter { $0 < mask.count / width }
        let columns = (max(x - 2, 0)...x + 2).filter { $0 < width }
        return rows.flatMap { row in columns.map { mask[row * width + $0] } }
    }

    @Test func batchesNeedOneSize() async throws {
        let scene = try Fixture.image("scene")
        let masks = [try Fixture.mask("spot").tensor, try Fixture.mask("corner").tensor]
        var inputs = try inputs(["mode": "forced size", "force_width": 64, "force_height": 64])
        inputs["image"] = Image(try HostMath.concatenate([scene.tensor, scene.tensor], axis: 0))
        inputs["mask"] = Mask(try HostMath.concatenate(masks, axis: 0))
        let results = try await call("InpaintCrop", inputs)
        #expect((results[1].first as? Image)?.tensor.shape == [2, 64, 64, 3])
        inputs["mode"] = "free size"
        #expect(await failure("InpaintCrop", inputs).contains("forced size"))
    }

    @Test func replacedTexts() async throws {
        let text: String = try await result(
            "LogicUtil_ReplaceString", ["String": "a1b22", "Regex": "([0-9]+)", "ReplaceWith": "<\\1>"])
        #expect(text == "a<1>b<22>")
    }
}
