import JSON
import Testing

@testable import Images

@Suite struct PillowTests {
    /// The picture of `make_pillow.py`.
    static func picture(_ width: Int, _ height: Int, _ channels: Int, seed: Int) throws -> ByteImage {
        var numbers = Numbers(UInt64(seed))
        return try ByteImage(width: width, height: height, channels: channels) { out in
            for i in 0..<out.count {
                let z = numbers.next()
                out[i] = z & 3 == 0 ? (z & 4 == 0 ? 0 : 255) : UInt8(z >> 56)
            }
        }
    }

    static func checkSum(_ image: ByteImage) throws -> Int {
        try image.withSamples { samples in
            var crc: UInt32 = 0xFFFF_FFFF
            for i in samples.indices {
                crc ^= UInt32(samples[i])
                for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
            }
            return Int(~crc)
        }
    }

    static func cases(_ name: String) throws -> [[JSON]] {
        let file = try JSON(parsing: Array(fixtureData("pillow.json")))
        return file[name]?.arrayValue?.compactMap(\.arrayValue) ?? []
    }

    @Test("every filter, number of channels and direction gives Pillow's bytes")
    func resize() throws {
        let cases = try Self.cases("resize")
        #expect(cases.count == 720)
        for row in cases {
            let filter = try #require(row[0].stringValue.flatMap(PillowFilter.init(rawValue:)))
            let n = row.compactMap(\.intValue)
            let result = try Self.picture(n[0], n[1], n[2], seed: n[3]).resized(width: n[4], height: n[5], filter)
            #expect((result.width, result.height, result.channels) == (n[4], n[5], n[2]))
            #expect(try Self.checkSum(result) == n[6], "\(row)")
        }
    }

    @Test("the Gaussian blur gives Pillow's bytes")
    func blur() throws {
        let cases = try Self.cases("blur")
        #expect(cases.count == 670)
        for row in cases {
            let radius = try #require(row[0].doubleValue)
            let n = row.dropFirst().compactMap(\.intValue)
            let result = try Self.picture(n[0], n[1], n[2], seed: n[3]).gaussianBlurred(radius: Float(radius))
            #expect(try Self.checkSum(result) == n[4], "\(row)")
        }
    }

    @Test("impossible requests are refused")
    func refused() throws {
        let image = try Self.picture(3, 3, 3, seed: 1)
        for (width, height) in [(0, 1), (1, 0), (-1, 5), (Int.max, 2)] {
            #expect(imageError { _ = try image.resized(width: width, height: height, .box) }?.code == .invalidArgument)
        }
        for radius in [-1, .nan, .infinity, 1e9] as [Float] {
            #expect(imageError { _ = try image.gaussianBlurred(radius: radius) }?.code == .invalidArgument)
        }
    }
}
