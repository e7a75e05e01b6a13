import Tensors
import Testing

@testable import Images

@Suite struct ResizeTests {
    /// "height x width" of a key.
    static func size(_ text: Substring) -> (height: Int, width: Int)? {
        let sides = text.split(separator: "x").compactMap { Int($0) }
        return sides.count == 2 ? (sides[0], sides[1]) : nil
    }

    @Test("the reference's resizing, every method", arguments: ResizeMethod.allCases)
    func golden(_ method: ResizeMethod) throws {
        let fixtures = try Safetensors("resize.safetensors")
        var count = 0
        for key in fixtures.keys {
            let parts = key.split(separator: ".")
            guard parts[0] == method.rawValue, let size = Self.size(parts[2]) else { continue }
            count += 1
            let input = try #require(fixtures["input.\(parts[1])"])
            let expected = try #require(fixtures[key])
            let result = try commonUpscale(input, width: size.width, height: size.height, method: method)
            let difference = try maximumDifference(result, expected)
            let isExact = [.nearest, .nearestExact, .lanczos].contains(method)
            // Relative to the largest value: the latents reach 2.7, where the reference's own rounding is above 1e-6.
            let scale = try expected.floats().reduce(0) { max($0, abs($1)) }
            #expect(difference <= (isExact ? 0 : 1e-6 * scale), "\(key): \(difference) of \(scale)")
            // The same with the channels last.
            let last = try resizeImage(
                input.permuted([0, 2, 3, 1]), width: size.width, height: size.height, method: method)
            #expect(try maximumDifference(last.permuted([0, 3, 1, 2]), result) <= (isExact ? 0 : 3e-7), "\(key)")
        }
        #expect(count == (method == .lanczos ? 6 : 24))
    }

    @Test("the reference's centre crop")
    func centerCrop() throws {
        let fixtures = try Safetensors("resize.safetensors")
        var count = 0
        for key in fixtures.keys where key.hasPrefix("crop-center.bilinear.") {
            let parts = key.split(separator: ".")
            let size = try #require(Self.size(parts[3]))
            let result = try commonUpscale(
                #require(fixtures["input.\(parts[2])"]), width: size.width, height: size.height, method: .bilinear,
                crop: .center)
            #expect(try maximumDifference(result, #require(fixtures[key])) <= 1e-6, "\(key)")
            count += 1
        }
        #expect(count == 8)
    }

    @Test("large sizes, done by several threads, agree with small pieces of themselves")
    func threads() throws {
        var numbers = Numbers(5)
        let image = try numbers.tensor([2, 3, 150, 170])
        for method in ResizeMethod.allCases {
            let both = try commonUpscale(image, width: 301, height: 259, method: method)
            let second = try commonUpscale(image.slice(axis: 0, 1..<2), width: 301, height: 259, method: method)
            #expect(try maximumDifference(both.slice(axis: 0, 1..<2), second) == 0)
            let same = try commonUpscale(image, width: 170, height: 150, method: method)
            #expect(
                try maximumDifference(same, image) <= (method == .lanczos ? 1.0 / 254 : method == .bislerp ? 3e-7 : 0))
        }
    }

    @Test("strided input and masks")
    func views() throws {
        var numbers = Numbers(6)
        let image = try numbers.tensor([1, 9, 8, 4])
        let view = try image.slice(axis: 3, 1..<2).slice(axis: 1, 2..<7)
        let copy = try view.asFloat32()
        let a = try resizeImage(view, width: 5, height: 11, method: .bicubic)
        #expect(try maximumDifference(a, resizeImage(copy, width: 5, height: 11, method: .bicubic)) == 0)
        let mask = try resizeMask(copy.reshaped([1, 5, 8]), width: 5, height: 11, method: .bicubic)
        #expect(try maximumDifference(mask, a.reshaped([1, 11, 5])) <= 3e-7)
    }

    @Test("impossible sizes are refused")
    func refused() throws {
        let image = try Tensor.zeros([1, 3, 8, 8])
        for (width, height) in [(0, 4), (4, 0), (-3, 4), (Int.max, Int.max)] {
            #expect(
                imageError { _ = try commonUpscale(image, width: width, height: height, method: .area) }?.code
                    == .invalidArgument)
        }
        #expect(
            imageError { _ = try commonUpscale(Tensor.zeros([8, 8]), width: 2, height: 2, method: .area) }?.code
                == .invalidArgument)
        #expect(
            imageError { _ = try commonUpscale(Tensor.zeros([1, 16, 8, 8]), width: 2, height: 2, method: .lanczos) }?
                .code == .invalidArgument)
        let thin = try Tensor.zeros([1, 3, 1, 100])
        #expect(
            imageError { _ = try commonUpscale(thin, width: 1, height: 100, method: .area, crop: .center) }?.code
                == .invalidArgument)
    }
}
