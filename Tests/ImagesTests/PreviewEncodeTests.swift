import Images
import Tensors
import Testing

/// JPEG and WebP as previews are written, read back by our own readers.
@Suite struct PreviewEncodeTests {
    /// A smooth picture with alpha: each channel is a ramp of its own.
    private func picture(width: Int, height: Int) throws -> ByteImage {
        let values = try Tensor.build([height, width, 4], of: Float.self) { out in
            for y in 0..<height {
                for x in 0..<width {
                    let at = 4 * (y * width + x)
                    out[at] = Float(x) / Float(width)
                    out[at + 1] = Float(y) / Float(height)
                    out[at + 2] = Float(x + y) / Float(width + height)
                    out[at + 3] = 1 - Float(x) / Float(2 * width)
                }
            }
        }
        return try ByteImage(truncating: values)
    }

    /// The mean difference of one channel, in steps of 1/255.
    private func meanDifference(_ a: ByteImage, _ b: ByteImage, channel: Int) throws -> Float {
        let (x, y) = (try a.floatMask(channel: channel), try b.floatMask(channel: channel))
        return try x.withElements(of: Float.self) { x in
            try y.withElements(of: Float.self) { y in
                var sum: Float = 0
                for i in 0..<x.count { sum += abs(x[i] - y[i]) }
                return 255 * sum / Float(x.count)
            }
        }
    }

    @Test(arguments: [(1, 1), (64, 48), (301, 200)])
    func jpegComesBackNearlyTheSame(width: Int, height: Int) throws {
        let image = try picture(width: width, height: height)
        let read = try ImageFile(JPEGWriter.encode(image, quality: 95))
        #expect(read.format == .jpeg)
        let (back, hasAlpha) = try read.byteImage()
        #expect(!hasAlpha)
        #expect(back.width == width && back.height == height)
        for channel in 0..<3 { #expect(try meanDifference(back, image, channel: channel) < 4) }
    }

    @Test(arguments: [(1, 1), (64, 48), (301, 200)])
    func webpComesBackNearlyTheSame(width: Int, height: Int) throws {
        let image = try picture(width: width, height: height)
        let read = try ImageFile(WebPWriter.encode(image, quality: 90))
        #expect(read.format == .webp)
        let (back, hasAlpha) = try read.byteImage()
        #expect(hasAlpha == (width > 1))
        for channel in 0..<4 { #expect(try meanDifference(back, image, channel: channel) < 4) }
    }

    @Test func lowerQualityIsSmaller() throws {
        let image = try picture(width: 301, height: 200)
        #expect(try JPEGWriter.encode(image, quality: 30).count < JPEGWriter.encode(image, quality: 95).count)
        #expect(try WebPWriter.encode(image, quality: 30).count < WebPWriter.encode(image, quality: 95).count)
    }

    @Test func alphaIsTakenApart() throws {
        let image = try picture(width: 31, height: 7)
        let black = try image.onlyAlpha()
        #expect(try meanDifference(black, image, channel: 3) == 0)
        let zero = try black.withoutAlpha()
        #expect(zero.channels == 3)
        #expect(try zero.tensor.withElements(of: UInt8.self) { span in (0..<span.count).allSatisfy { span[$0] == 0 } })
        let opaque = try ImageFile(PNGWriter.encode(image.withoutAlpha())).byteImage()
        #expect(!opaque.hasAlpha)
        let joined = try opaque.image.replacingAlpha(with: image)
        for channel in 0..<4 { #expect(try meanDifference(joined, image, channel: channel) == 0) }
        #expect(throws: ImageError.self) { try picture(width: 31, height: 8).replacingAlpha(with: image) }
    }

    @Test func whatCannotBeWrittenIsRefused() throws {
        let image = try picture(width: 8, height: 8)
        #expect(throws: ImageError.self) { try JPEGWriter.encode(image, quality: 0) }
        #expect(throws: ImageError.self) { try WebPWriter.encode(image, quality: 101) }
        let long = try ByteImage(truncating: Tensor.zeros([1, 16384, 3]))
        #expect(throws: ImageError.self) { try WebPWriter.encode(long, quality: 90) }
        #expect(try ImageFile(JPEGWriter.encode(long, quality: 90)).storedSize().width == 16384)
    }
}
