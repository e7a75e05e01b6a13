import Foundation
import Tensors
import Testing

@testable import Images

@Suite struct HostileFileTests {
    @Test("a file cut off anywhere is refused, or complete in all that matters")
    func truncation() throws {
        for name in ["rgba8", "palette-transparent", "gray16", "exif-rotated"] {
            let bytes = try fixtureBytes("load-image/\(name).png")
            let whole = try ImageFile(bytes).picture()
            for count in 0..<bytes.count {
                do {
                    let part = try ImageFile(Array(bytes.prefix(count))).picture()
                    // Only the end marker and what follows the pixels may be missing.
                    #expect(count >= bytes.count - 12 || name == "exif-rotated")
                    #expect(part.image.count == whole.image.count)
                } catch {
                    #expect(error.code == .damaged || error.code == .unsupportedFormat, "\(error)")
                }
            }
        }
    }

    @Test("damaged bytes give an error or a picture, never a crash")
    func damage() throws {
        let fixtures = try Safetensors("png-variants.safetensors")
        var numbers = Numbers(1)
        var refused = 0
        let limits = ImageLimits(pixels: 1 << 16, animationPixels: 1 << 18)
        for name in fixtures.keys.filter({ $0.hasSuffix(".file") }) {
            let bytes = try #require(fixtures.bytes(name))
            for round in 0..<60 {
                var broken = bytes
                for _ in 0...Int.random(in: 0..<3, using: &numbers) {
                    let at = Int.random(in: 8..<broken.count, using: &numbers)
                    broken[at] = UInt8.random(in: 0...255, using: &numbers)
                }
                // Two of three rounds with right check sums, to get past them.
                if round % 3 != 0 { broken = Self.repaired(broken) }
                do {
                    let file = try ImageFile(broken, limits: limits)
                    _ = try? file.texts()
                    _ = try? file.mask(.alpha)
                    _ = try file.picture()
                } catch { refused += 1 }
            }
        }
        #expect(refused > 2000)
    }

    /// The file with the check sums of its chunks put right.
    static func repaired(_ bytes: [UInt8]) -> [UInt8] {
        var out = Array(bytes.prefix(8))
        var at = 8
        while bytes.count - at >= 12 {
            let length = bigEndian32(bytes, at: at)
            guard length <= bytes.count - at - 12 else { break }
            let data = Array(bytes[at + 8..<at + 8 + length])
            out += pngChunk("none", data)
            // The name may not be text: put the bytes themselves in, and the sum over them.
            let start = out.count - length - 8
            out.replaceSubrange(start..<start + 4, with: bytes[at + 4..<at + 8])
            var crc: UInt32 = 0xFFFF_FFFF
            for byte in out[start..<start + 4 + length] {
                crc ^= UInt32(byte)
                for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
            }
            out.replaceSubrange(out.count - 4..<out.count, with: bigEndianBytes(Int(~crc)))
            at += 12 + length
        }
        return out + bytes[at...]
    }

    @Test("sizes that the data cannot hold are refused before memory is taken")
    func hugeClaims() throws {
        let little = pngChunk("IDAT", [0x78, 0x9C, 0x63, 0, 0, 0, 1, 0, 1]) + pngChunk("IEND", [])
        let cases: [([UInt8], ImageError.Code)] = [
            (pngHeader(16384, 16384) + little, .damaged),
            (pngHeader(16385, 16384) + little, .tooLarge),
            (pngHeader(0x7FFF_FFFF, 0x7FFF_FFFF) + little, .tooLarge),
            (pngHeader(0xFFFF_FFFF, 1) + little, .damaged),
            (pngHeader(0, 5) + little, .damaged),
            (pngHeader(5, 0) + little, .damaged),
            (pngHeader(16384, 16384, depth: 16, colour: 6) + little, .damaged),
            (pngHeader(5, 5) + pngChunk("IEND", []), .damaged),
            (pngHeader(5, 5, depth: 3) + little, .damaged),
            (pngHeader(5, 5, depth: 4, colour: 2) + little, .damaged),
            (pngHeader(5, 5, colour: 5) + little, .damaged),
            (pngHeader(5, 5, rest: [1, 0, 0]) + little, .damaged),
            (pngHeader(5, 5, rest: [0, 0, 2]) + little, .damaged),
            (pngHeader(5, 5, colour: 3) + little, .damaged),
            (pngHeader(5, 5) + little, .damaged),
        ]
        let before = HostMemory.statistics.peak
        for (bytes, code) in cases {
            let error = imageError { _ = try ImageFile(bytes, name: "claim.png").picture() }
            #expect(error?.code == code, "\(String(describing: error))")
            #expect(error?.message.hasPrefix("claim.png: ") == true)
        }
        #expect(HostMemory.statistics.peak - before < 64 << 20)
    }

    @Test("the pixel limits hold")
    func pixelLimits() throws {
        let bytes = try fixtureBytes("load-image/rgb8.png")
        #expect(imageError { _ = try ImageFile(bytes, limits: ImageLimits(pixels: 13 * 9)).picture() } == nil)
        #expect(
            imageError { _ = try ImageFile(bytes, limits: ImageLimits(pixels: 13 * 9 - 1)).picture() }?.code
                == .tooLarge)
        let fixtures = try Safetensors("png-variants.safetensors")
        let animation = try #require(fixtures.bytes("animated-type6-default0.file"))
        #expect(
            imageError { _ = try ImageFile(animation, limits: ImageLimits(animationPixels: 4 * 42 - 1)).picture() }?
                .code
                == .tooLarge)
        #expect(try ImageFile(animation, limits: ImageLimits(animationPixels: 4 * 42)).picture().image.shape[0] == 4)
    }

    @Test("a wrong check sum is found")
    func checkSums() throws {
        let golden = try fixtureBytes("save-image/golden_00001_.png")
        for (name, offset) in [("IHDR", 20), ("tEXt", 60)] {
            var bytes = golden
            bytes[offset] ^= 1
            let error = imageError { _ = try ImageFile(bytes).texts() }
            #expect(error?.code == .damaged)
            #expect(error?.message.contains(name) == true, "\(String(describing: error))")
        }
        var bytes = golden
        bytes[golden.count - 30] ^= 1
        #expect(imageError { _ = try ImageFile(bytes).picture() }?.code == .damaged)
    }

    @Test("compressed text beyond the limit is refused")
    func textBombs() throws {
        // 20 MB of zeros.
        let bomb = try fixtureBytes("text-bomb.png")
        #expect(bomb.count < 50_000)
        let strict = ImageLimits(textBytes: 1 << 20)
        #expect(imageError { _ = try ImageFile(bomb, limits: strict).texts() }?.code == .tooLarge)
        #expect(try ImageFile(bomb).texts()["Comment"]?.utf8.count == 20_000_000)
        // The pixels are there whatever the text is.
        #expect(try ImageFile(bomb, limits: strict).picture().image.shape == [1, 1, 1, 3])
        let many = pngHeader(1, 1) + (0..<1000).flatMap { _ in pngChunk("tEXt", Array("key\0value".utf8)) }
        #expect(try ImageFile(many, limits: ImageLimits(textBytes: 8000)).texts().count == 1000)
        #expect(imageError { _ = try ImageFile(many, limits: ImageLimits(textBytes: 7999)).texts() }?.code == .tooLarge)
    }

    @Test("text chunks that break the format are refused")
    func brokenText() {
        let cases: [(String, [UInt8])] = [
            ("tEXt", Array("no separator".utf8)), ("tEXt", [0, 65]), ("zTXt", Array("key\0".utf8)),
            ("zTXt", Array("key\0\u{1}abc".utf8)), ("zTXt", Array("key\0\0abc".utf8)), ("zTXt", Array("key\0\0".utf8)),
            ("iTXt", Array("key\0\0".utf8)), ("iTXt", Array("key\0\0\0en".utf8)),
            ("iTXt", Array("key\0\0\0en\0x".utf8)),
            ("iTXt", Array("key\0\u{1}\u{1}\0\0x".utf8)), ("tEXt", [UInt8](repeating: 65, count: 80) + [0]),
            ("tEXt", []),
        ]
        for (name, data) in cases {
            let error = imageError { _ = try ImageFile(pngHeader(1, 1) + pngChunk(name, data)).texts() }
            #expect(error?.code == .damaged, "\(name) \(data)")
        }
    }

    @Test("other formats are named")
    func otherFormats() throws {
        let cases: [(String, [UInt8])] = [
            ("GIF", Array("GIF89a".utf8)), ("TIFF", [0x49, 0x49, 0x2A, 0, 8, 0, 0, 0]),
            ("TIFF", [0x4D, 0x4D, 0, 0x2A]),
            ("AVIF", [0, 0, 0, 32] + Array("ftypavif".utf8)), ("HEIC", [0, 0, 0, 24] + Array("ftypheic".utf8)),
            ("BMP", Array("BM".utf8) + [9, 9, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]),
            ("JPEG XL", [0xFF, 0x0A, 1]),
            ("Photoshop", Array("8BPS".utf8)), ("SVG", Array("<svg xmlns=\"\"/>".utf8)),
        ]
        for (name, bytes) in cases {
            let error = imageError { _ = try ImageFile(bytes, name: "a.png") }
            #expect(error?.code == .unsupportedFormat)
            #expect(error?.message.contains("a.png is a \(name) file") == true, "\(String(describing: error))")
            #expect(error?.message.contains("convert it to PNG") == true)
        }
        for bytes in [[], Array("BMW is a car maker, no picture".utf8), [0x89, 0x50, 0x4E, 0x47]] as [[UInt8]] {
            #expect(imageError { _ = try ImageFile(bytes) }?.code == .unsupportedFormat)
        }
        let gif = imageError { _ = try ImageFile(path: fixturePath("load-image/frames.gif")) }
        #expect(gif?.message.contains("frames.gif is a GIF file") == true)
    }

    @Test("files that cannot be read")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        let pipe = folder.path + "/pipe.png"
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in [folder.path, folder.path + "/missing.png", pipe, folder.path + "/a\0b.png", ""] {
            let error = imageError { _ = try ImageFile(path: path) }
            #expect(error?.code == .unreadableFile, "\(path)")
        }
        let small = try folder.write([UInt8](repeating: 1, count: 100), "a.png")
        #expect(imageError { _ = try ImageFile(path: small, limits: ImageLimits(fileBytes: 99)) }?.code == .tooLarge)
    }
}
