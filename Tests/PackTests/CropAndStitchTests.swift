import JSON
import NodeKit
import Tensors
import Testing

struct CropAndStitchTests {
    private static let spot = ["mask": "spot"]

    /// The cases of make_fixtures.py; values that went through bytes may be one step of 255 apart.
    @Test(
        arguments: [
            ("defaults", "spot", ["output_target_width": 64, "output_target_height": 64]),
            (
                "own size", "spot",
                ["output_resize_to_target_size": false, "output_padding": "8", "mask_blend_pixels": 4]
            ),
            (
                "small target", "spot",
                [
                    "output_target_width": 16, "output_target_height": 24, "output_padding": "8",
                    "mask_blend_pixels": 0,
                    "mask_hipass_filter": 0.0, "context_from_mask_extend_factor": 1.0,
                ]
            ),
            (
                "corner, wide", "corner",
                [
                    "output_target_width": 96, "output_target_height": 32, "output_padding": "0",
                    "mask_blend_pixels": 6,
                    "mask_expand_pixels": 3, "downscale_algorithm": "lanczos", "upscale_algorithm": "lanczos",
                ]
            ),
            (
                "context", "corner",
                ["output_target_width": 32, "output_target_height": 32, "output_padding": "16", "mask_blend_pixels": 2]
            ),
            (
                "outpainting", "",
                [
                    "output_target_width": 64, "output_target_height": 64, "output_padding": "8",
                    "mask_blend_pixels": 5,
                    "extend_for_outpainting": true, "extend_up_factor": 1.25, "extend_right_factor": 1.5,
                ]
            ),
            (
                "inverted", "spot",
                [
                    "output_target_width": 32, "output_target_height": 32, "mask_invert": true,
                    "mask_fill_holes": false,
                    "mask_blend_pixels": 1,
                ]
            ),
        ] as [(String, String, [String: any NodeValue])])
    func cropAndStitch(name: String, mask: String, options: [String: any NodeValue]) async throws {
        var inputs = options
        inputs["image"] = try Fixture.image("scene")
        if !mask.isEmpty { inputs["mask"] = try Fixture.mask(mask) }
        if name == "context" { inputs["optional_context_mask"] = try Fixture.mask("spot") }
        let results = try await call("InpaintCropImproved", inputs)
        let picture = try #require(results[1].first as? Image)
        #expect(try distance(picture.tensor, Fixture.tensor("crop \(name) image")) < 1.01 / 255)
        let cut = try #require(results[2].first as? Mask)
        #expect(try distance(cut.tensor, Fixture.tensor("crop \(name) mask")) < 1.01 / 255)

        let painted = Image(try HostMath.map(picture.tensor) { 1 - $0 })
        let stitched: Image = try await result(
            "InpaintStitchImproved", ["stitcher": try #require(results[0].first), "inpainted_image": painted])
        #expect(try distance(stitched.tensor, Fixture.tensor("crop \(name) stitched")) < 2.1 / 255)
    }

    /// Far from the mask the picture comes back bit for bit.
    @Test func whatIsNotPaintedStays() async throws {
        let scene = try Fixture.image("scene")
        let results = try await call(
            "InpaintCropImproved",
            [
                "image": scene, "mask": try Fixture.mask("spot"), "output_target_width": 64, "output_target_height": 64,
                "mask_blend_pixels": 0,
            ])
        let black = Image(try .zeros((results[1].first as? Image)?.tensor.shape ?? []))
        let stitched: Image = try await result(
            "InpaintStitchImproved", ["stitcher": try #require(results[0].first), "inpainted_image": black])
        let (before, after) = (try scene.tensor.floats(), try stitched.tensor.floats())
        #expect((0..<10 * 64 * 3).allSatisfy { before[$0] == after[$0] })
        #expect(after[(18 * 64 + 28) * 3] == 0)
    }

    @Test func batches() async throws {
        let scene = try Fixture.image("scene")
        let two = Image(try HostMath.concatenate([scene.tensor, scene.tensor], axis: 0))
        let results = try await call("InpaintCropImproved", ["image": two, "mask": try Fixture.mask("spot")])
        #expect((results[1].first as? Image)?.tensor.shape == [2, 512, 512, 3])
        let message = await failure(
            "InpaintCropImproved", ["image": two, "output_resize_to_target_size": false])
        #expect(message.contains("output_resize_to_target_size"))
        let stitcher = try #require(results[0].first)
        let three = Image(try .zeros([3, 64, 64, 3]))
        #expect(
            await failure("InpaintStitchImproved", ["stitcher": stitcher, "inpainted_image": three]).contains(
                "2 pictures"))
    }

    @Test func sizesThatDoNotFit() async throws {
        let scene = try Fixture.image("scene")
        let wrong = Mask(try .full([1, 5, 5], 1))
        #expect(await failure("InpaintCropImproved", ["image": scene, "mask": wrong]).contains("5×5"))
        // LoadImage's empty mask of 64×64 counts as none.
        let none = Mask(try .zeros([1, 5, 5]))
        #expect(await failure("InpaintCropImproved", ["image": scene, "mask": none]) == "")
    }

    @Test func preresize() async throws {
        let inputs: [String: any NodeValue] = [
            "image": try Fixture.image("scene"), "mask": try Fixture.mask("spot"), "preresize": true,
            "output_resize_to_target_size": false, "output_padding": "0", "mask_blend_pixels": 0,
            "context_from_mask_extend_factor": 1.0, "preresize_min_width": 128, "preresize_min_height": 60,
        ]
        let results = try await call("InpaintCropImproved", inputs)
        // Twice the size: the spot of 18×14 becomes 36×28, and the bilinear edge adds a pixel on each side.
        #expect((results[1].first as? Image)?.tensor.shape == [1, 30, 38, 3])
        let both = inputs.merging([
            "preresize_mode": "ensure minimum and maximum resolution", "preresize_max_height": 40,
        ]) { $1 }
        #expect(await failure("InpaintCropImproved", both).contains("both below the minimum"))
    }
}
