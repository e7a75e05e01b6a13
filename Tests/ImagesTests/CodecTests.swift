import Tensors
import Testing

@testable import Images

/// JPEG and WebP.
@Suite struct CodecTests {
    @Test("the reference's LoadImage and LoadImageMask of a JPEG file, whose decoder may differ by 2 of 255")
    func golden() throws {
        let expected = try Safetensors("load-image/expected.safetensors")
        let file = try ImageFile(path: fixturePath("load-image/photo.jpg"))
        let picture = try file.picture()
        let tolerance: Float = 2.001 / 255
        #expect(try maximumDifference(picture.image, #require(expected["photo.jpg.image"])) <= tolerance)
        #expect(try maximumDifference(picture.mask, #require(expected["photo.jpg.mask"])) == 0)
        #expect(try maximumDifference(file.mask(.red), #require(expected["photo.jpg.mask-red"])) <= tolerance)
        #expect(try maximumDifference(file.mask(.alpha), #require(expected["photo.jpg.mask-alpha"])) == 0)
    }

    @Test("every kind of JPEG and WebP file as Pillow reads it")
    func variants() throws {
        let fixtures = try Safetensors("codecs.safetensors")
        let names = fixtures.keys.filter { $0.hasSuffix(".file") }.map { String($0.dropLast(5)) }
        #expect(names.count == 38)
        for name in names {
            let file = try ImageFile(#require(fixtures.bytes("\(name).file")), name: name)
            let picture = try file.picture()
            let image = try HostMath.map(#require(fixtures["\(name).image"])) { $0 / 255 }
            // Lossless files leave no freedom; the others are decoded by another version of the library.
            let isExact = name.hasPrefix("webp")
            let difference = try maximumDifference(picture.image, image)
            #expect(difference <= (isExact ? 0 : 2.001 / 255), "\(name): \(difference * 255)")
            if let mask = fixtures["\(name).mask"] {
                let inverted = try HostMath.map(mask) { 1 - (255 - $0) / 255 }
                #expect(try maximumDifference(picture.mask, inverted) == 0, "\(name)")
            } else {
                #expect(picture.mask.shape == [image.shape[0], 64, 64], "\(name)")
            }
            let size = try file.storedSize()
            let isTurned = name.contains("exif") && (Int(name.suffix(1)) ?? 6) >= 5
            #expect((isTurned ? size.height : size.width) == image.shape[2], "\(name)")
        }
    }

    @Test("workflows in EXIF tags")
    func workflows() throws {
        let fixtures = try Safetensors("codecs.safetensors")
        let webp = try ImageFile(#require(fixtures.bytes("webp-workflow.file"))).texts()
        #expect(webp["prompt"] == "{\"3\": {\"class_type\": \"A:B\"}}")
        #expect(webp["workflow"] == "{\"nodes\": []}")
        #expect(webp.count == 2)
        #expect(try ImageFile(#require(fixtures.bytes("jpeg-workflow.file"))).texts()["workflow"] == "{\"nodes\": []}")
        #expect(try ImageFile(#require(fixtures.bytes("webp-lossy.file"))).texts() == [])
        #expect(try ImageFile(#require(fixtures.bytes("jpeg-grey.file"))).texts() == [])
    }

    @Test("files cut off anywhere are refused, or complete in all that matters")
    func truncation() throws {
        let fixtures = try Safetensors("codecs.safetensors")
        for name in ["jpeg-2-33x17-False", "jpeg-2-33x17-True", "webp-lossy-alpha", "webp-lossless", "webp-animated"] {
            let bytes = try #require(fixtures.bytes("\(name).file"))
            for count in 12..<bytes.count {
                do {
                    _ = try ImageFile(Array(bytes.prefix(count))).picture()
                    #expect(count >= bytes.count - 12, "\(name) \(count) of \(bytes.count)")
                } catch {
                    #expect(error.code == .damaged, "\(error)")
                }
            }
        }
    }

    @Test("damaged bytes give an error or a picture, never a crash")
    func damage() throws {
        let fixtures = try Safetensors("codecs.safetensors")
        var numbers = Numbers(2)
        var refused = 0
        let limits = ImageLimits(pixels: 1 << 16, animationPixels: 1 << 18)
        for name in fixtures.keys.filter({ $0.hasSuffix(".file") }) {
            let bytes = try #require(fixtures.bytes(name))
            for _ in 0..<100 {
                var broken = bytes
                for _ in 0...Int.random(in: 0..<3, using: &numbers) {
                    broken[Int.random(in: 4..<broken.count, using: &numbers)] = UInt8.random(
                        in: 0...255, using: &numbers)
                }
                do {
                    let file = try ImageFile(broken, limits: limits)
                    _ = try? file.texts()
                    _ = try file.picture()
                } catch { refused += 1 }
            }
        }
        #expect(refused > 300)
    }

    @Test("sizes that the data cannot hold, and other processes, are refused")
    func claims() throws {
        func jpeg(_ marker: UInt8, _ width: Int, _ height: Int, components: UInt8 = 3, bits: UInt8 = 8) -> [UInt8] {
            [0xFF, 0xD8, 0xFF, marker, 0, 17, bits] + bigEndianBytes(height).suffix(2) + bigEndianBytes(width).suffix(2)
                + [components] + [UInt8](repeating: 1, count: 9) + [UInt8](repeating: 0, count: 30)
        }
        let before = HostMemory.statistics.peak
        let cases: [([UInt8], ImageError.Code)] = [
            (jpeg(0xC0, 16000, 16000), .damaged), (jpeg(0xC2, 65535, 65535), .tooLarge), (jpeg(0xC0, 0, 5), .damaged),
            (jpeg(0xC9, 8, 8), .unsupportedFormat), (jpeg(0xC3, 8, 8), .unsupportedFormat),
            (jpeg(0xC1, 8, 8, bits: 12), .unsupportedFormat), (jpeg(0xC0, 8, 8, components: 2), .unsupportedFormat),
            ([0xFF, 0xD8, 0xFF], .damaged), ([0xFF, 0xD8, 0xFF, 0xE1, 0xFF, 0xFF, 0, 0, 0], .damaged),
            ([0xFF, 0xD8, 0xFF, 0xE1, 0, 0, 0, 0, 0], .damaged), ([0xFF, 0xD8, 0xFF, 0xDA, 0, 4, 0, 0, 0], .damaged),
            ([0xFF, 0xD8] + [UInt8](repeating: 0xFF, count: 100), .damaged),
            (Array("RIFF\0\0\0\0WEBP".utf8), .damaged), (Array("RIFF\u{4}\0\0\0WEBPVP8X".utf8), .damaged),
        ]
        for (bytes, code) in cases {
            let error = imageError { _ = try ImageFile(bytes).picture() }
            #expect(error?.code == code, "\(bytes.prefix(12)) \(String(describing: error))")
        }
        #expect(HostMemory.statistics.peak - before < 64 << 20)
    }
}
