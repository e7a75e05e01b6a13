import Diffusion
import JSON
import NodeKit
import PackTools
import Tensors
import Testing

struct PictureNodeTests {
    @Test func concatenation() async throws {
        let (a, b) = (try Fixture.image("a"), try Fixture.image("b"))
        for direction in ["right", "down"] {
            let found: Image = try await result("ImageConcanate", ["image1": a, "image2": b, "direction": direction])
            #expect(try distance(found.tensor, Fixture.tensor("concat " + direction)) < 2e-5)
        }
        let left: Image = try await result(
            "ImageConcanate", ["image1": a, "image2": b, "direction": "left", "match_image_size": false])
        #expect(try distance(left.tensor, Fixture.tensor("concat left unmatched")) < 1e-6)
        let multi: Image = try await result(
            "ImageConcatMulti", ["inputcount": 3, "image_1": a, "image_2": a, "image_3": a, "direction": "down"])
        #expect(multi.tensor.shape == [1, 27, 13, 3])
        #expect(await failure("ImageConcatMulti", ["inputcount": 3, "image_1": a, "image_2": a]).contains("image_3"))
    }

    @Test func batches() async throws {
        let (a, b) = (try Fixture.image("a"), try Fixture.image("b"))
        let batch: Image = try await result("ImageBatchMulti", ["inputcount": 3, "image_1": a, "image_3": b])
        #expect(batch.tensor.shape == [3, 9, 13, 3])
        #expect(try batch.tensor.slice(axis: 0, 1..<2).floats().allSatisfy { $0 == 0 })
        #expect(try distance(batch.tensor.slice(axis: 0, 0..<1).asFloat32(), a.tensor) == 0)
        let impact: Image = try await result("ImpactMakeImageBatch", ["image1": a, "image3": a, "image10": b])
        #expect(impact.batch == 3)
        let list = try await call("easy imageBatchToImageList", ["image": batch])
        #expect(list[0].count == 3)
        let twice = try await call("VHS_DuplicateMasks", ["mask": try Fixture.mask("mask"), "multiply_by": 2])
        #expect((twice[0].first as? Mask)?.tensor.shape == [2, 9, 13] && twice[1].first as? Int == 2)
        let images = try await call("VHS_DuplicateImages", ["images": a, "multiply_by": 3])
        #expect(images[1].first as? Int == 3)
        let latents = try await call(
            "VHS_DuplicateLatents", ["latents": Latent(samples: try .zeros([2, 4, 2, 2])), "multiply_by": 2])
        #expect(latents[1].first as? Int == 4)
        #expect(
            await failure("VHS_DuplicateMasks", ["mask": try! Fixture.mask("mask"), "multiply_by": 0]).contains(
                "1 to 4096"))
    }

    @Test func colours() async throws {
        let (a, b) = (try Fixture.image("a"), try Fixture.image("b"))
        let matched: Image = try await result("ColorMatch", ["image_ref": b, "image_target": a])
        #expect(try distance(matched.tensor, Fixture.tensor("mkl")) < 1e-5)
        let half: Image = try await result("ColorMatch", ["image_ref": b, "image_target": a, "strength": 0.5])
        #expect(try distance(half.tensor, Fixture.tensor("mkl half")) < 1e-5)
        #expect(await failure("ColorMatch", ["image_ref": b, "image_target": a, "method": "hm"]).contains("mkl"))
        // A picture without any variation has no colours to stretch, and gives no NaN.
        let flat: Image = try await result(
            "ColorMatch", ["image_ref": b, "image_target": Image(try .full([1, 3, 3, 3], 0.5))])
        #expect(try flat.tensor.floats().allSatisfy { $0.isFinite })
        let grey: Image = try await result("ImageDesaturate+", ["image": a, "factor": 0.75])
        #expect(try distance(grey.tensor, Fixture.tensor("rec709")) < 1e-6)
        let black: Image = try await result("ImagePosterize+", ["image": a, "threshold": 0.5])
        let pixels = try a.tensor.floats()
        #expect(try black.tensor.floats()[0] == ((pixels[0] + pixels[1] + pixels[2]) / 3 > 0.5 ? 1 : 0))
    }

    @Test func masks() async throws {
        let mask = try Fixture.mask("mask")
        let remapped: Mask = try await result("RemapMaskRange", ["mask": mask, "min": 0.1, "max": 0.65])
        #expect(try distance(remapped.tensor, Fixture.tensor("remapped")) < 1e-6)
        let blurred: Mask = try await result("MaskBlur+", ["mask": mask, "amount": 6])
        #expect(try distance(blurred.tensor, Fixture.tensor("mask blur 6")) < 1e-5)
        let same: Mask = try await result("MaskBlur+", ["mask": mask, "amount": 0])
        #expect(try distance(same.tensor, mask.tensor) == 0)
        let resized = try await call(
            "ResizeMask",
            ["mask": mask, "width": 26, "height": 26, "keep_proportions": true, "upscale_method": "nearest-exact"])
        #expect((resized[0].first as? Mask)?.tensor.shape == [1, 18, 26] && resized[2].first as? Int == 18)
        let values = try mask.tensor.floats()
        #expect(try (resized[0].first as? Mask)?.tensor.floats()[27] == values[0])
        let binary: Mask = try await result(
            "ToBinaryMask", ["mask": Mask(try Tensor([0.078, 0.0785, 1, 0], shape: [1, 2, 2])), "threshold": 20])
        #expect(try binary.tensor.floats() == [0, 1, 1, 0])
        let flipped: Mask = try await result("MaskFlip+", ["mask": mask, "axis": "x"])
        #expect(try flipped.tensor.floats()[12] == values[0])
    }

    @Test func filters() throws {
        let mask = try Fixture.tensor("mask")
        let blur = GaussianFilter(radius: Int(4 * 1.7 + 0.5), sigma: 1.7, edge: .symmetric)
        let pictures = try mask.asSingleChannelPictures()
        #expect(try distance(blur(pictures).asMask(), Fixture.tensor("gaussian symmetric")) < 1e-5)
        for side in [1, 2, 3, 4, 7] {
            #expect(try distance(WindowMaximum.square(mask, side: side), Fixture.tensor("window \(side)")) < 1e-6)
        }
    }

    /// What Pillow draws.
    @Test func shapes() async throws {
        let cases = try #require(Fixture.pictures?["shapes"]?.arrayValue)
        for entry in cases {
            func number(_ key: String) -> Int { entry[key]?.intValue ?? 0 }
            let results = try await call(
                "CreateShapeMask",
                [
                    "shape": entry["shape"]?.stringValue ?? "", "location_x": number("x"), "location_y": number("y"),
                    "frame_width": 31, "frame_height": 23, "shape_width": number("width"),
                    "shape_height": number("height"),
                ])
            let values = try #require(results[0].first as? Mask).tensor.floats()
            let rows = (0..<23).map { y in String((0..<31).map { values[y * 31 + $0] == 1 ? "#" : "." }) }
            #expect(rows == entry["rows"]?.arrayValue?.map { $0.stringValue ?? "" }, "\(entry)")
            let inverted = try #require(results[1].first as? Mask).tensor.floats()
            #expect(zip(values, inverted).allSatisfy { $0 + $1 == 1 })
        }
        let growing: Mask = try await result(
            "CreateShapeMask", ["shape": "square", "frames": 3, "grow": -8, "shape_width": 16, "shape_height": 16])
        let sums = try (0..<3).map { try growing.tensor.slice(axis: 0, $0..<$0 + 1).floats().reduce(0, +) }
        #expect(sums == [17 * 17, 9 * 9, 1])
    }

    @Test(arguments: [
        ("stretch", 20, 0, 0, 20, 9), ("keep proportion", 26, 26, 0, 26, 18), ("keep proportion", 0, 18, 0, 26, 18),
        ("fill / crop", 10, 18, 0, 10, 18), ("pad", 20, 20, 0, 20, 20), ("stretch", 21, 19, 8, 16, 16),
        ("keep proportion", 26, 26, 8, 24, 16),
    ]) func imageResizePlus(method: String, width: Int, height: Int, multiple: Int, newWidth: Int, newHeight: Int)
        async throws
    {
        let results = try await call(
            "ImageResize+",
            [
                "image": try Fixture.image("a"), "width": width, "height": height, "interpolation": "nearest",
                "method": method, "condition": "always", "multiple_of": multiple,
            ])
        #expect(results[1].first as? Int == newWidth && results[2].first as? Int == newHeight)
    }

    @Test func imageResizePlusConditions() async throws {
        let a = try Fixture.image("a")
        for (condition, width) in [
            ("downscale if bigger", 13), ("upscale if smaller", 26), ("if bigger area", 13), ("if smaller area", 26),
        ] {
            let results = try await call(
                "ImageResize+", ["image": a, "width": 26, "height": 18, "method": "stretch", "condition": condition])
            #expect(results[1].first as? Int == width, "\(condition)")
        }
        let padded: Image = try await result(
            "ImageResize+", ["image": a, "width": 13, "height": 15, "method": "pad", "condition": "always"])
        let (values, pixels) = (try padded.tensor.floats(), try a.tensor.floats())
        #expect(values[0..<(3 * 13 * 3)].allSatisfy { $0 == 0 } && values[3 * 13 * 3] == pixels[0])
    }

    @Test(arguments: [
        ("top-left", 0, 0, 0, 0, 4, 4), ("center", 0, 0, 4, 2, 4, 4), ("bottom-right", 0, 0, 9, 5, 4, 4),
        ("top-center", 0, 1, 4, 1, 4, 4), ("right-center", 2, 0, 11, 2, 2, 4), ("left-center", -2, 0, 0, 2, 2, 4),
    ]) func imageCropPlus(position: String, dx: Int, dy: Int, x: Int, y: Int, width: Int, height: Int) async throws {
        let results = try await call(
            "ImageCrop+",
            [
                "image": try Fixture.image("a"), "width": 4, "height": 4, "position": position, "x_offset": dx,
                "y_offset": dy,
            ])
        #expect(results[1].first as? Int == x && results[2].first as? Int == y)
        #expect((results[0].first as? Image)?.tensor.shape == [1, height, width, 3])
    }

    @Test func compositesPlus() async throws {
        let (black, white) = (Image(try .zeros([1, 4, 4, 3])), Image(try .full([1, 2, 2, 3], 1)))
        let put: Image = try await result(
            "ImageComposite+", ["destination": black, "source": white, "x": 1, "offset_x": 2, "y": -1])
        let values = try put.tensor.floats()
        #expect(values.reduce(0, +) == 3 && values[9] == 1)
        var weights = [Float](repeating: 0, count: 32)
        weights[0] = 1
        weights[17] = 0.5
        let each: Image = try await result(
            "ImageCompositeFromMaskBatch+",
            ["image_from": black, "image_to": white, "mask": Mask(try Tensor(weights, shape: [2, 4, 4]))])
        let mixed = try each.tensor.floats()
        #expect(each.batch == 2 && mixed[0] == 1 && mixed[51] == 0.5 && mixed.reduce(0, +) == 4.5)
        let flipped: Image = try await result("ImageFlip+", ["image": put, "axis": "xy"])
        #expect(try flipped.tensor.floats()[(3 * 4 + 0) * 3] == 1)
    }

    @Test func sizes() async throws {
        let a = try Fixture.image("a")
        for id in ["GetImageSize+", "easy imageSize", "Image or Latent Size (rgthree)"] {
            let results = try await call(id, [id.hasPrefix("Image or") ? "input" : "image": a])
            #expect(results[0].first as? Int == 13 && results[1].first as? Int == 9, "\(id)")
        }
        let latent = try await call(
            "Image or Latent Size (rgthree)", ["input": Latent(samples: try .zeros([1, 4, 3, 5]))])
        #expect(latent[0].first as? Int == 40 && latent[1].first as? Int == 24)
        let counted = try await call("GetImageSizeAndCount", ["image": a])
        #expect(counted[3].first as? Int == 1)
        let inset: Image = try await result(
            "Image Inset Crop (rgthree)",
            [
                "image": Image(try .zeros([1, 64, 64, 3])), "measurement": "Percentage", "left": 20, "top": 50,
                "right": 10,
            ])
        #expect(inset.tensor.shape == [1, 32, 56, 3])
        #expect(
            await failure("Image Inset Crop (rgthree)", ["image": a, "measurement": "Pixels", "left": 16]).contains(
                "nothing"))
        let blank: Image = try await result(
            "Image Blank", ["width": 9, "height": 8, "red": 255, "green": 0, "blue": 51])
        #expect(blank.tensor.shape == [1, 8, 16, 3])
        #expect(try Array(blank.tensor.floats()[0..<3]) == [1, 0, 0.2])
    }

    @Test(
        arguments: [
            (["width": 26, "height": 26, "keep_proportion": true], 26, 18),
            (["width": 0, "height": 18, "keep_proportion": true], 26, 18),
            (["width": 0, "height": 20], 12, 20), (["width": 27, "height": 21, "divisible_by": 8], 24, 16),
            (["width": 27, "height": 21, "width_input": 30, "height_input": 0], 30, 20),
            (["width": 26, "height": 26, "crop": "0"], 26, 26),
        ] as [([String: any NodeValue], Int, Int)])
    func imageResizeKJ(options: [String: any NodeValue], width: Int, height: Int) async throws {
        let inputs = options.merging(["image": try Fixture.image("a")]) { $1 }
        let results = try await call("ImageResizeKJ", inputs)
        #expect(results[1].first as? Int == width && results[2].first as? Int == height)
        #expect((results[0].first as? Image)?.tensor.shape == [1, height, width, 3])
    }

    @Test func imageResizeKJTakesAPicturesSize() async throws {
        let results = try await call(
            "ImageResizeKJ", ["image": try Fixture.image("a"), "get_image_size": try Fixture.image("b")])
        #expect(results[1].first as? Int == 7 && results[2].first as? Int == 12)
    }

    @Test func copiesOnTheSides() async throws {
        let a = try Fixture.image("a")
        let results = try await call(
            "TTP_Expand_And_Mask",
            ["image": a, "fill_mode": "duplicate", "expand_right": true, "num_blocks_right": 2, "expand_top": true])
        let picture = try #require(results[0].first as? Image)
        let border = try #require(results[1].first as? Mask)
        #expect(try distance(picture.tensor, Fixture.tensor("expanded")) < 1e-6)
        #expect(try distance(border.tensor, Fixture.tensor("expanded mask")) == 0)
        let white: Image = try await result(
            "TTP_Expand_And_Mask", ["image": a, "fill_mode": "white", "expand_left": true])
        #expect(try distance(white.tensor, Fixture.tensor("expanded white")) < 1e-6)
    }

    /// What OpenCV finds; where it resizes first, a grey level may be one off, which moves a few pixels.
    @Test func cannyEdges() async throws {
        for entry in try #require(Fixture.pictures?["canny"]?.arrayValue) {
            func number(_ key: String) -> Int { entry[key]?.intValue ?? 0 }
            let found: Image = try await result(
                "CannyEdgePreprocessor",
                [
                    "image": try Fixture.image("smooth"), "resolution": number("resolution"),
                    "low_threshold": number("low"), "high_threshold": number("high"),
                ])
            let rows = try #require(entry["rows"]?.arrayValue?.map { Array($0.stringValue ?? "") })
            #expect(found.height == rows.count && found.width == rows[0].count)
            let values = try found.tensor.floats()
            let wrong = (0..<found.height * found.width).count { i in
                (values[3 * i] == 1) != (rows[i / found.width][i % found.width] == "#")
            }
            let allowed = number("resolution") == 40 ? 0 : found.height * found.width / 100
            #expect(wrong <= allowed, "resolution \(number("resolution")): \(wrong) pixels differ")
        }
    }

    @Test func maskedFill() async throws {
        let inputs: [String: any NodeValue] = [
            "image": try Fixture.image("fill image"), "mask": try Fixture.mask("fill mask"),
        ]
        let filled: Image = try await result("INPAINT_MaskedFill", inputs)
        #expect(try distance(filled.tensor, Fixture.tensor("fill neutral")) < 1e-6)
        let soft: Image = try await result("INPAINT_MaskedFill", inputs.merging(["falloff": 4]) { $1 })
        #expect(try distance(soft.tensor, Fixture.tensor("fill neutral 4")) < 1e-5)
        #expect(await failure("INPAINT_MaskedFill", inputs.merging(["fill": "telea"]) { $1 }).contains("neutral"))
        #expect(
            await failure("INPAINT_MaskedFill", ["image": inputs["image"]!, "mask": try! Fixture.mask("mask")])
                .contains("13×9"))
    }

    @Test func comparedPictures() async throws {
        let installation = try Installation()
        let inputs: [String: any NodeValue] = [
            "image1": try Fixture.image("a"), "image2": try Fixture.image("b"), "footer_height": 10,
            "border_thickness": 4, "mode": "dark",
        ]
        let compared: Image = try await result("CR Simple Image Compare", inputs, installation.context())
        // 2 around each picture with its footer, side by side, 2 around all.
        #expect(compared.tensor.shape == [1, 9 + 10 + 4 + 4, 2 * (13 + 4) + 4, 3])
        #expect(installation.warnings.contains { $0.contains("not drawn") })
        let values = try compared.tensor.floats()
        let first = try Fixture.tensor("a").floats()[0]
        #expect(values[0] == 0 && values[(4 * 38 + 4) * 3] == (first * 255).rounded(.down) / 255)
        let plain: Image = try await result("CR Simple Image Compare", [:], installation.context())
        #expect(plain.tensor.shape == [1, 532, 532, 3])
        #expect(try plain.tensor.floats().allSatisfy { $0 == 1 })
    }

    @Test func previewOfPictureAndMask() async throws {
        let image = Image(try .zeros([1, 2, 2, 3]))
        let mask = Mask(try Tensor([1, 0, 0.5, 0], shape: [1, 2, 2]))
        let shown: Image = try await result(
            "ImageAndMaskPreview", ["image": image, "mask": mask, "mask_opacity": 0.5, "mask_color": "255, 0, 51"])
        #expect(
            try distance(shown.tensor, Tensor([0.5, 0, 0.1, 0, 0, 0, 0.25, 0, 0.05, 0, 0, 0], shape: [1, 2, 2, 3]))
                < 1e-6)
        #expect(await failure("ImageAndMaskPreview").contains("neither"))
        #expect(
            await failure("ImageAndMaskPreview", ["image": image, "mask": mask, "mask_color": "red"]).contains("red"))
    }

    /// Numbers from links are not validated before a node runs: they give errors, not traps.
    @Test(arguments: [Int.min, -1, Int.max]) func extremeNumbers(value: Int) async throws {
        let (image, mask) = (try Fixture.image("a"), try Fixture.mask("mask"))
        let calls: [(String, [String: any NodeValue])] = [
            ("ImageResizeKJ", ["image": image, "width": value, "height": value]),
            ("ImageResizeKJ", ["image": image, "width_input": value, "keep_proportion": true]),
            ("ResizeMask", ["mask": mask, "width": value]), ("CreateShapeMask", ["grow": value, "frames": value]),
            ("CreateShapeMask", ["location_x": value, "shape_width": value]),
            ("ImageBatchMulti", ["inputcount": value, "image_1": image]),
            ("ImageResize+", ["image": image, "width": value]),
            ("ImageResize+", ["image": image, "multiple_of": value]),
            ("ImageCrop+", ["image": image, "width": value]), ("ImageCrop+", ["image": image, "x_offset": value]),
            ("MaskBlur+", ["mask": mask, "amount": value]),
            ("ImageComposite+", ["destination": image, "source": image, "x": value, "offset_x": value]),
            ("Image Blank", ["width": value]), ("Image Blank", ["red": value]),
            ("TTP_Expand_And_Mask", ["image": image, "expand_left": true, "num_blocks_left": value]),
            ("INPAINT_MaskedFill", ["image": image, "mask": mask, "falloff": value]),
            ("CR Simple Image Compare", ["image1": image, "image2": image, "footer_height": value]),
            ("Image Inset Crop (rgthree)", ["image": image, "left": value]),
            ("CR Aspect Ratio", ["width": value, "aspect_ratio": "custom"]),
            ("CR Aspect Ratio", ["batch_size": value, "aspect_ratio": "custom"]),
            ("VHS_DuplicateImages", ["images": image, "multiply_by": value]),
            ("easy anythingIndexSwitch", ["index": value]), ("Repeater|pysssss", ["source": 1, "repeats": value]),
            ("InpaintCropImproved", ["image": image, "output_target_width": value]),
            ("InpaintCropImproved", ["image": image, "mask_blend_pixels": value]),
            ("InpaintCropImproved", ["image": image, "preresize": true, "preresize_min_width": value]),
        ]
        for (id, inputs) in calls { _ = await failure(id, inputs) }
    }
}
