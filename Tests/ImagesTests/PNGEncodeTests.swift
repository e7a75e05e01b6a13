import Foundation
import Tensors
import Testing

@testable import Images

@Suite struct PNGEncodeTests {
    @Test("the reference's SaveImage: pixels, text chunks and their order")
    func golden() throws {
        let expected = try Safetensors("save-image/expected.safetensors")
        let reference = try PNGFile(fixtureBytes("save-image/golden_00001_.png"), limits: ImageLimits())
        let texts = try reference.text(limits: ImageLimits())
        #expect(texts.map(\.keyword) == ["prompt", "workflow"])
        #expect(texts["prompt"]?.contains("\\u732b") == true)

        let bytes = try PNGWriter.encode(#require(expected["image"]), texts: texts)
        let file = try PNGFile(bytes, limits: ImageLimits())
        #expect(file.header == reference.header)
        #expect(file.chunks.map(\.name) == reference.chunks.map(\.name))
        for (ours, theirs) in zip(file.chunks, reference.chunks) where ours.name == PNGFile.ChunkName.text {
            #expect(file.bytes[ours.data] == reference.bytes[theirs.data])
        }
        let samples = try #require(expected.bytes("bytes"))
        #expect(try file.decodeSamples().withBytes { Array($0) } == samples)
        #expect(try reference.decodeSamples().withBytes { Array($0) } == samples)
    }

    @Test("bytes are truncated, clipped, and 0 for NaN")
    func truncation() throws {
        let values: [Float] = [
            0.5, 0.25, 1, 1.5, -1, .nan, .infinity, -.infinity, 0.999_999_9, 254.999 / 255, 0, 1 / 255,
        ]
        let bytes = try ByteImage(truncating: Tensor(values, shape: [1, 2, 2, 3]))
        #expect(
            try bytes.withSamples { s in s.indices.map { s[$0] } } == [127, 63, 255, 255, 0, 0, 255, 0, 254, 254, 0, 1])
    }

    @Test("one to four channels come back as they were", arguments: 1...4)
    func roundTrip(_ channels: Int) throws {
        var numbers = Numbers(UInt64(channels))
        for (height, width) in [(1, 1), (7, 5), (64, 33)] {
            let image = try ByteImage(width: width, height: height, channels: channels) { out in
                for i in 0..<out.count { out[i] = UInt8.random(in: 0...255, using: &numbers) }
            }
            for level in [0, 4, 9] {
                let bytes = try PNGWriter.encode(image, compressionLevel: level)
                let file = try PNGFile(bytes, limits: ImageLimits())
                let samples = try image.withSamples { s in s.indices.map { s[$0] } }
                #expect(file.header.colourType.samplesPerPixel == channels)
                #expect(try file.decodeSamples().withBytes { Array($0) } == samples)
                // A byte survives the way through float32 and back.
                #expect(
                    try ByteImage(truncating: image.floatTensor()).withSamples { s in s.indices.map { s[$0] } }
                        == samples)
            }
        }
    }

    @Test("texts of every kind, read back")
    func texts() throws {
        let image = try Tensor.full([1, 2, 2, 3], 0.5)
        let texts = [
            ImageText("prompt", "{}"), ImageText("Grüße".filter(\.isASCII), "Bild “ü” 猫 🐈"), ImageText("empty", ""),
            ImageText("long", String(repeating: "0123456789", count: 100_000)),
        ]
        let file = try ImageFile(PNGWriter.encode(image, texts: texts))
        #expect(try file.texts() == texts)
        // Latin-1 in tEXt, UTF-8 in tEXt, compressed text of both kinds.
        let other = try ImageFile(fixtureBytes("texts.png")).texts()
        #expect(other["latin"] == "Grüße")
        #expect(other["utf8"] == "Grüße 猫")
        #expect(other["compressed"] == String(repeating: "workflow ", count: 1000))
        #expect(other["international"] == "Grüße 猫")
        #expect(other["international-compressed"] == "Grüße 猫")
        #expect(other["after"] == "the pixels")
    }

    @Test("what cannot be written is refused")
    func refused() throws {
        let image = try Tensor.full([1, 2, 2, 3], 0.5)
        for keyword in ["", " a", "a ", String(repeating: "k", count: 80), "ä", "a\nb"] {
            #expect(
                imageError { _ = try PNGWriter.encode(image, texts: [ImageText(keyword, "x")]) }?.code
                    == .invalidArgument)
        }
        #expect(
            imageError { _ = try PNGWriter.encode(image, texts: [ImageText("k", "a\0b")]) }?.code == .invalidArgument)
        #expect(imageError { _ = try PNGWriter.encode(image, compressionLevel: 10) }?.code == .invalidArgument)
        for shape in [[2, 2, 2, 3], [1, 2, 2, 5], [1, 0, 2, 3], [2, 2], [1, 1, 2, 2, 3]] as [Shape] {
            let error = imageError { _ = try PNGWriter.encode(Tensor.full(shape, 0)) }
            #expect(error?.code == .invalidArgument, "\(shape)")
        }
    }

    @Test("a failed write leaves nothing behind")
    func failedWrites() throws {
        let folder = try TemporaryFolder()
        let image = try Tensor.full([1, 2, 2, 3], 0.5)
        try PNGWriter.write(image, to: folder.path + "/a.png")
        try PNGWriter.write(image, to: folder.path + "/a.png", texts: [ImageText("k", "v")])
        #expect(folder.names == ["a.png"])
        #expect(try ImageFile(path: folder.path + "/a.png").texts()["k"] == "v")
        try FileManager.default.createDirectory(atPath: folder.path + "/b.png/c", withIntermediateDirectories: true)
        for name in ["b.png", "missing/c.png", "a.png/c.png", "nul\0.png", String(repeating: "n", count: 300)] {
            let error = imageError { try PNGWriter.write(image, to: folder.path + "/" + name) }
            #expect(error?.code == .unwritableFile, "\(name)")
            #expect(error?.message.contains("nul") == (name == "nul\0.png"))
        }
        #expect(folder.names == ["a.png", "b.png"])
    }

    @Test("a full disk gives an error and leaves nothing behind")
    func fullDisk() async {
        // A limit on the size of files makes write(2) fail half-way, as a full disk does.
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            let folder = try TemporaryFolder()
            var limit = rlimit(rlim_cur: 5000, rlim_max: 5000)
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            var numbers = Numbers(3)
            let image = try numbers.tensor([1, 64, 64, 3])
            let error = imageError { try PNGWriter.write(image, to: folder.path + "/a.png") }
            #expect(error?.code == .unwritableFile)
            #expect(folder.names == [])
        }
    }
}
