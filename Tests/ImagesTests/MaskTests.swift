import JSON
import Tensors
import Testing

@testable import Images

@Suite struct MaskTests {
    @Test("dilation and erosion equal the definition, for every radius", arguments: [true, false])
    func dilation(_ tapered: Bool) throws {
        var numbers = Numbers(8)
        for (height, width) in [(1, 1), (1, 9), (9, 1), (6, 7), (11, 5)] {
            let mask = try numbers.tensor([2, height, width])
            let values = try mask.floats()
            for radius in 0...(height + width + 2) {
                var largest = values
                var smallest = values
                for item in 0..<2 {
                    for y in 0..<height {
                        for x in 0..<width {
                            var around: [Float] = []
                            for v in 0..<height {
                                for u in 0..<width {
                                    let inside =
                                        tapered
                                        ? abs(x - u) + abs(y - v) <= radius : max(abs(x - u), abs(y - v)) <= radius
                                    if inside { around.append(values[(item * height + v) * width + u]) }
                                }
                            }
                            largest[(item * height + y) * width + x] = try #require(around.max())
                            smallest[(item * height + y) * width + x] = try #require(around.min())
                        }
                    }
                }
                #expect(
                    try growMask(mask, by: radius, tapered: tapered).floats() == largest, "\(height)×\(width) \(radius)"
                )
                #expect(try growMask(mask, by: -radius, tapered: tapered).floats() == smallest)
            }
            #expect(
                try growMask(mask, by: .max, tapered: tapered).floats()
                    == growMask(mask, by: 99, tapered: tapered).floats())
            #expect(
                try growMask(mask, by: .min, tapered: tapered).floats()
                    == growMask(mask, by: -99, tapered: tapered).floats())
        }
    }

    @Test("GrowMaskWithBlur as its specification, done with SciPy and Pillow")
    func growMaskWithBlurCases() throws {
        let fixtures = try Safetensors("masks.safetensors")
        let cases = try #require(JSON(parsing: Array(fixtureData("masks.json"))).arrayValue)
        #expect(cases.count == 70)
        for row in cases {
            var growth = MaskGrowth()
            growth.expand = try #require(row["expand"]?.intValue)
            growth.incrementalExpandRate = try #require(row["incremental_expandrate"]?.doubleValue)
            growth.taperedCorners = try #require(row["tapered_corners"]).boolValue ?? false
            growth.flipInput = try #require(row["flip_input"]).boolValue ?? false
            growth.blurRadius = try #require(row["blur_radius"]?.doubleValue)
            growth.lerpAlpha = try #require(row["lerp_alpha"]?.doubleValue)
            growth.decayFactor = try #require(row["decay_factor"]?.doubleValue)
            growth.fillHoles = try #require(row["fill_holes"]).boolValue ?? false
            let key = try #require(row["key"]?.stringValue)
            let input = try #require(row["input"]?.stringValue.flatMap { fixtures[$0] })
            let result = try growMaskWithBlur(input, growth)
            let expected = try #require(fixtures[key])
            #expect(try maximumDifference(result, expected) <= 1e-7, "\(row)")
        }
    }

    @Test("extreme settings of GrowMaskWithBlur")
    func extremeGrowth() throws {
        let mask = try Tensor([0, 1, 0, 0.25], shape: [1, 2, 2])
        var growth = MaskGrowth()
        growth.expand = .max
        growth.incrementalExpandRate = .infinity
        #expect(try growMaskWithBlur(mask, growth).floats() == [1, 1, 1, 1])
        growth.expand = .min
        growth.incrementalExpandRate = .nan
        #expect(try growMaskWithBlur(mask, growth).floats() == [0, 0, 0, 0])
        #expect(try growMaskWithBlur(HostMath.concatenate([mask, mask], axis: 0), growth).shape == [2, 2, 2])
        growth.blurRadius = -1
        #expect(imageError { _ = try growMaskWithBlur(mask, growth) }?.code == .invalidArgument)
    }

    @Test("filled holes as SciPy fills them")
    func holes() throws {
        let fixtures = try Safetensors("masks.safetensors")
        for n in 0..<7 {
            let filled = try fillHoles(#require(fixtures["input.\(n)"]))
            #expect(try maximumDifference(filled, #require(fixtures["fill.\(n)"])) == 0, "\(n)")
        }
    }

    @Test("a feather to the right and below fades the first column and row")
    func feather() throws {
        let mask = try Tensor.full([1, 4, 5], 1)
        let right = try featherMask(mask, left: 0, top: 0, right: 3, bottom: 0).floats()
        #expect(Array(right[0..<5]) == [Float(1.0 / 3), 1, 1, 1, Float(2.0 / 3)])
        let below = try featherMask(mask, left: 0, top: 0, right: 0, bottom: 2).floats()
        #expect(stride(from: 0, to: 20, by: 5).map { below[$0] } == [0.5, 1, 1, 1])
        let all = try featherMask(mask, left: 99, top: 99, right: 99, bottom: 99)
        #expect(all.shape == [1, 4, 5])
        #expect(
            imageError { _ = try featherMask(mask, left: -1, top: 0, right: 0, bottom: 0) }?.code == .invalidArgument)
    }

    @Test("masks combined outside, at the edges, and in batches")
    func composite() throws {
        let below = try Tensor([0.2, 0.4, 0.6, 2], shape: [1, 2, 2])
        let above = try Tensor.full([1, 1, 1], 0.5)
        let clamped: [Float] = [0.2, 0.4, 0.6, 1]
        for (x, y) in [(2, 0), (0, 2), (-1, 0), (0, -1), (.max, 0), (.min, .min)] as [(Int, Int)] {
            #expect(try compositeMasks(below, above, x: x, y: y, .multiply).floats() == clamped)
        }
        #expect(try compositeMasks(below, above, x: 1, y: 0, .add).floats() == [0.2, 0.9, 0.6, 1])
        let large = try Tensor.full([1, 5, 5], 1)
        #expect(try compositeMasks(below, large, x: -2, y: -2, .subtract).floats() == [0, 0, 0, 1])
        let two = try HostMath.concatenate([below, below], axis: 0)
        #expect(try compositeMasks(two, above, x: 0, y: 1, .xor).floats() == [0.2, 0.4, 1, 1, 0.2, 0.4, 1, 1])
        #expect(imageError { _ = try compositeMasks(below, two, x: 0, y: 0, .add) }?.code == .invalidArgument)
        // Half rounds to even: 0.5 is no, 1.5 is yes.
        let halves = try Tensor([0.5, 1.5, 2.5, -0.4], shape: [1, 2, 2])
        let ones = try Tensor.full([1, 2, 2], 1)
        #expect(try compositeMasks(halves, ones, x: 0, y: 0, .and).floats() == [0, 1, 1, 0])
        #expect(try compositeMasks(halves, ones, x: 0, y: 0, .xor).floats() == [1, 0, 0, 1])
    }

    @Test("the reference's masks for inpainting")
    func inpainting() throws {
        let expected = try Safetensors("inpaint/expected.safetensors")
        let scene = try ImageFile(path: fixturePath("inpaint/scene.png")).picture()
        let first = try prepareInpainting(scene.image, mask: scene.mask)
        #expect(
            try maximumDifference(growInpaintMask(first.mask, by: 6), #require(expected["vae-encode.grow6"])) == 0)
        let odd = try prepareInpainting(
            ImageFile(path: fixturePath("inpaint/odd.png")).picture().image,
            mask: ImageFile(path: fixturePath("inpaint/mask.png")).mask(.red))
        #expect(odd.original.shape == [1, 48, 72, 3])
        #expect(try maximumDifference(growInpaintMask(odd.mask, by: 0), #require(expected["vae-encode.odd"])) == 0)
        let soft = try ImageFile(path: fixturePath("inpaint/soft.png")).picture()
        let fill = try prepareInpainting(soft.image, mask: soft.mask)
        #expect(try maximumDifference(fill.mask, #require(expected["fill.concat_mask"])) <= 1e-6)
        // 0.5 exactly where the mask rounds to 1, untouched elsewhere.
        let (mask, masked, original) = (try fill.mask.floats(), try fill.masked.floats(), try fill.original.floats())
        for i in masked.indices {
            #expect(abs(masked[i] - (mask[i / 3] > 0.5 ? 0.5 : original[i])) <= 6e-8)
        }
    }

    @Test("the box of VAEEncodeForInpaint", arguments: 0...9)
    func inpaintBox(_ count: Int) throws {
        var values = [Float](repeating: 0, count: 15 * 15)
        values[7 * 15 + 7] = 0.7
        values[0] = 0.4
        let grown = try growInpaintMask(Tensor(values, shape: [1, 1, 15, 15]), by: count)
        #expect(grown.shape == [1, 1, 15, 15])
        let reached = try grown.floats().indices.filter { try grown.floats()[$0] == 1 }
        let side = max(count, 1)
        let first = 7 - (side - 1 - side / 2)
        let box = (first..<first + side).flatMap { y in (first..<first + side).map { y * 15 + $0 } }
        #expect(reached == box)
    }

    @Test("masks of other ranks and shapes")
    func shapes() throws {
        let plane = try Tensor.full([3, 4], 0.25)
        #expect(try growMask(plane, by: 1, tapered: true).shape == [1, 3, 4])
        #expect(try maskToImage(Tensor.full([2, 1, 3, 4], 0.25)).shape == [2, 3, 4, 3])
        for shape in [[4], [1, 1, 1, 1, 1], [1, 0, 4]] as [Shape] {
            #expect(
                imageError { _ = try growMask(Tensor.zeros(shape), by: 1, tapered: true) }?.code == .invalidArgument)
        }
        let image = try Tensor.full([1, 3, 4, 3], 0.5)
        #expect(imageError { _ = try imageToMask(image, .alpha) }?.message.contains("no alpha channel") == true)
        #expect(imageError { _ = try cropMask(plane, left: 4, top: 0, width: 1, height: 1) }?.code == .invalidArgument)
        #expect(imageError { _ = try solidMask(1, width: 0, height: 4) }?.code == .invalidArgument)
        #expect(imageError { _ = try solidMask(1, width: .max, height: .max) }?.code == .invalidArgument)
    }
}
