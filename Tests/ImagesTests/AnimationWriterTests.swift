import Foundation
import Tensors
import Testing

@testable import Images

/// Written animations are read again, picture by picture.
@Suite struct AnimationWriterTests {
    private func pictures(_ count: Int, height: Int = 9, width: Int = 14) throws -> Tensor {
        var numbers = Numbers(UInt64(count))
        return try Tensor(
            (0..<count * height * width * 3).map { _ in Float(UInt8.random(in: 0...255, using: &numbers)) / 255 },
            shape: [count, height, width, 3])
    }

    private let texts = [ImageText("prompt", #"{"1": {}}"#), ImageText("workflow", #"{"nodes": []}"#)]

    @Test(arguments: [1, 2, 5]) func losslessWebP(_ count: Int) throws {
        let images = try pictures(count)
        let bytes = try WebPWriter.encode(images, milliseconds: 166, texts: texts)
        let file = try ImageFile(bytes)
        let picture = try file.picture()
        #expect(picture.image.shape == images.shape)
        #expect(try picture.image.floats() == images.floats())
        #expect(try file.texts()["prompt"] == texts[0].text)
        #expect(try file.texts()["workflow"] == texts[1].text)
    }

    @Test func lossyWebPIsNearAndSmaller() throws {
        let images = try Tensor(
            (0..<2 * 64 * 64 * 3).map { Float($0 % 192) / 191 }, shape: [2, 64, 64, 3])
        let lossy = try WebPWriter.encode(
            images, milliseconds: 100, options: .init(isLossless: false, quality: 60, method: 0))
        let found = try ImageFile(lossy).picture().image
        #expect(found.shape == images.shape)
        let difference = zip(try found.floats(), try images.floats()).reduce(Float(0)) { $0 + abs($1.0 - $1.1) }
        #expect(difference / Float(images.count) < 0.1)
        let best = try WebPWriter.encode(
            images, milliseconds: 100, options: .init(isLossless: false, quality: 100, method: 6))
        #expect(lossy.count < best.count)
    }

    @Test(arguments: [1, 2, 5]) func animatedPNG(_ count: Int) throws {
        let images = try pictures(count)
        let bytes = try PNGAnimationWriter.encode(images, milliseconds: 166, texts: texts)
        let file = try ImageFile(bytes)
        #expect(try file.picture().image.floats() == images.floats())
        #expect(try file.texts() == texts)
        let written = try PNGFile(bytes, limits: ImageLimits())
        let chunks = written.chunks.map(\.name)
        #expect(chunks.contains(PNGFile.ChunkName.animation) == (count > 1))
        #expect(chunks.count { $0 == PNGFile.ChunkName.frameControl } == (count > 1 ? count : 0))
        #expect(chunks.last == PNGFile.ChunkName.comfyText && !written.isCutOff)
    }

    @Test func whatCannotBeWrittenIsRefused() throws {
        let empty = try Tensor.zeros([0, 4, 4, 3])
        #expect(imageError { _ = try WebPWriter.encode(empty, milliseconds: 1) }?.code == .invalidArgument)
        #expect(imageError { _ = try PNGAnimationWriter.encode(empty, milliseconds: 1) }?.code == .invalidArgument)
        let wide = try Tensor.zeros([1, 1, 16384, 3])
        #expect(imageError { _ = try WebPWriter.encode(wide, milliseconds: 1) }?.code == .tooLarge)
        let grey = try Tensor.zeros([1, 4, 4, 1])
        #expect(imageError { _ = try WebPWriter.encode(grey, milliseconds: 1) }?.code == .invalidArgument)
    }
}
