import Images
import Tensors
import Testing

@Suite struct PNGDecodeTests {
    static let goldenNames = [
        "bit1", "exif-rotated", "gray-alpha", "gray16", "gray8", "palette-transparent", "palette",
        "rgb-transparent-colour", "rgb8", "rgba8",
    ]

    @Test("the reference's LoadImage and LoadImageMask", arguments: goldenNames)
    func golden(_ name: String) throws {
        let expected = try Safetensors("load-image/expected.safetensors")
        let file = try ImageFile(path: fixturePath("load-image/\(name).png"))
        let picture = try file.picture()
        #expect(try maximumDifference(picture.image, #require(expected["\(name).png.image"])) == 0)
        #expect(try maximumDifference(picture.mask, #require(expected["\(name).png.mask"])) == 0)
        #expect(try maximumDifference(file.mask(.red), #require(expected["\(name).png.mask-red"])) == 0)
        #expect(try maximumDifference(file.mask(.alpha), #require(expected["\(name).png.mask-alpha"])) == 0)
    }

    @Test("every colour type, depth, interlacing, transparency, orientation and animation as Pillow reads it")
    func variants() throws {
        let fixtures = try Safetensors("png-variants.safetensors")
        let names = fixtures.keys.filter { $0.hasSuffix(".file") }.map { String($0.dropLast(5)) }
        #expect(names.count == 169)
        for name in names {
            let file = try ImageFile(#require(fixtures.bytes("\(name).file")), name: name)
            let picture = try file.picture()
            let image = try #require(fixtures["\(name).image"])
            #expect(picture.image.shape == image.shape, "\(name)")
            #expect(try picture.image.floats() == image.floats().map { $0 / 255 }, "\(name)")
            if let mask = fixtures["\(name).mask"] {
                #expect(picture.mask.shape == mask.shape, "\(name)")
                let inverted = try mask.floats().map { 1 - (255 - $0) / 255 }
                #expect(try picture.mask.floats() == inverted, "\(name)")
            } else {
                #expect(picture.mask.shape == [image.shape[0], 64, 64], "\(name)")
                #expect(try HostMath.isZero(picture.mask), "\(name)")
            }
            let rgba = try #require(fixtures["\(name).rgba"])
            let samples = try rgba.floats()
            for channel in ImageFile.Channel.allCases {
                let mask = try file.mask(channel)
                #expect(mask.shape == [1, rgba.shape[0], rgba.shape[1]], "\(name)")
                let index = ["red": 0, "green": 1, "blue": 2, "alpha": 3][channel.rawValue] ?? 0
                let values = stride(from: index, to: samples.count, by: 4).map { samples[$0] / 255 }
                #expect(try mask.floats() == (index == 3 ? values.map { 1 - $0 } : values), "\(name) \(channel)")
            }
        }
    }
}
