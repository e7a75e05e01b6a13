import Tensors
import Testing

@testable import Images

@Suite struct PictureTests {
    @Test("the reference's LatentCompositeMasked")
    func latentComposite() throws {
        let expected = try Safetensors("inpaint/expected.safetensors")
        let mask = try ImageFile(path: fixturePath("inpaint/mask.png")).mask(.red)
        let result = try compositeLatents(
            #require(expected["latent.destination"]), #require(expected["latent.source"]), x: 16, y: 8, mask: mask)
        #expect(try maximumDifference(result, #require(expected["latent.composite"])) <= 1e-6)
    }

    @Test("pictures placed anywhere, with other channels and batches")
    func composite() throws {
        let below = try Tensor.full([2, 3, 3, 3], 0)
        let above = try Tensor.full([1, 2, 2, 4], 1)
        let corner = try compositeImages(below, above, x: 2, y: 2)
        #expect(corner.shape == [2, 3, 3, 3])
        #expect(try corner.floats().reduce(0, +) == 6)
        #expect(try compositeImages(below, above, x: -1, y: -1).floats().reduce(0, +) == 6)
        for (x, y) in [(3, 0), (0, 3), (-2, 0), (.max, .max), (.min, .min)] as [(Int, Int)] {
            #expect(try HostMath.isZero(compositeImages(below, above, x: x, y: y)))
        }
        #expect(try compositeImages(below, above, x: 0, y: 0, resizeSource: true).floats().allSatisfy { $0 == 1 })
        let mask = try Tensor.full([1, 7, 5], 0.25)
        let mixed = try compositeImages(below, above, x: 0, y: 0, mask: mask, resizeSource: true)
        #expect(try mixed.floats().allSatisfy { $0 == 0.25 })
        // A source without alpha is opaque.
        let withAlpha = try compositeImages(Tensor.full([1, 2, 2, 4], 0), Tensor.full([1, 1, 1, 3], 0.5), x: 0, y: 0)
        #expect(try Array(withAlpha.floats()[0..<8]) == [0.5, 0.5, 0.5, 1, 0, 0, 0, 0])
        #expect(
            imageError { _ = try compositeImages(below, Tensor.zeros([2, 2]), x: 0, y: 0) }?.code == .invalidArgument)
        #expect(
            imageError {
                _ = try compositeLatents(Tensor.zeros([1, 4, 2, 2]), Tensor.zeros([1, 16, 2, 2]), x: 0, y: 0)
            }?
            .code == .invalidArgument)
    }

    @Test("outpainting without feather, on one side, and with a feather too wide")
    func outpaint() throws {
        let image = try Tensor.full([2, 6, 8, 3], 1)
        let plain = try padForOutpaint(image, left: 0, top: 0, right: 2, bottom: 0, feathering: 0)
        #expect(plain.image.shape == [2, 6, 10, 3])
        #expect(try Array(plain.mask.floats()[0..<10]) == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
        #expect(try plain.image.floats()[8 * 3] == 0.5)
        let soft = try padForOutpaint(image, left: 0, top: 0, right: 2, bottom: 0, feathering: 2)
        #expect(try Array(soft.mask.floats()[0..<10]) == [0, 0, 0, 0, 0, 0, 0, 0.25, 1, 1])
        let wide = try padForOutpaint(image, left: 0, top: 0, right: 2, bottom: 0, feathering: 3)
        #expect(try wide.mask.floats() == plain.mask.floats())
        for sides in [(-1, 0), (0, -1), (.max, 0), (0, .max)] as [(Int, Int)] {
            let error = imageError {
                _ = try padForOutpaint(image, left: sides.0, top: 0, right: sides.1, bottom: 0, feathering: 1)
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("crops, colours and impossible requests")
    func basics() throws {
        var numbers = Numbers(4)
        let image = try numbers.tensor([1, 5, 6, 3])
        #expect(try cropImage(image, left: 99, top: 99, width: 4, height: 4).shape == [1, 1, 1, 3])
        #expect(try cropImage(image, left: 2, top: 1, width: .max, height: .max).shape == [1, 4, 4, 3])
        #expect(imageError { _ = try cropImage(image, left: 0, top: 0, width: 0, height: 2) }?.code == .invalidArgument)
        #expect(try emptyImage(width: 2, height: 1, colour: 0x3366FF).floats() == [0.2, 0.4, 1, 0.2, 0.4, 1])
        #expect(imageError { _ = try emptyImage(width: 1, height: 1, count: .max) }?.code == .invalidArgument)
        #expect(imageError { _ = try colourToMask(Tensor.zeros([1, 2, 2, 1]), colour: 0) }?.code == .invalidArgument)
        for (radius, sigma) in [(5, 1.0), (-1, 1), (1, 0), (.max, 1)] as [(Int, Double)] {
            #expect(imageError { _ = try blurImage(image, radius: radius, sigma: sigma) }?.code == .invalidArgument)
        }
        #expect(try maximumDifference(blurImage(image, radius: 0, sigma: 1), image) == 0)
        let joined = try joinImageBatches(image, Tensor.full([2, 9, 9, 4], 1))
        #expect(joined.shape == [3, 5, 6, 4])
    }

    @Test("sizes asked for by the scaling nodes")
    func targetSizes() {
        #expect(TargetSize.image(width: 0, height: 0, ofWidth: 5, height: 7) == (5, 7))
        #expect(TargetSize.image(width: 1, height: 0, ofWidth: 5000, height: 1) == (1, 1))
        #expect(TargetSize.latent(width: 0, height: 0, ofWidth: 5, height: 7) == (5, 7))
        #expect(TargetSize.latent(width: 8, height: 700, ofWidth: 5, height: 7) == (8, 87))
        #expect(TargetSize.scaled(by: 0.5, width: 5, height: 7) == (2, 4))
        #expect(TargetSize.scaled(by: .nan, width: 5, height: 7) == (0, 0))
        #expect(TargetSize.scaled(by: 1e300, width: 5, height: 7).width > 1 << 30)
    }
}
