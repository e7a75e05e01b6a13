import Foundation
import Tensors

@testable import Images

/// A folder that is removed at the end of a test.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("graphrun-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        let url = URL(fileURLWithPath: path).appendingPathComponent(name)
        try Data(bytes).write(to: url)
        return url.path
    }
}

/// Pseudo-random numbers that are the same everywhere (SplitMix64).
struct Numbers: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func tensor(_ shape: Shape) throws -> Tensor {
        try Tensor((0..<shape.count).map { _ in Float(next() >> 40) / Float(1 << 24) }, shape: shape)
    }
}

/// A chunk of a PNG file with its check sum.
func pngChunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in Array(name.utf8) + data {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return bigEndianBytes(data.count) + Array(name.utf8) + data + bigEndianBytes(Int(~crc))
}

func pngHeader(_ width: Int, _ height: Int, depth: UInt8 = 8, colour: UInt8 = 2, rest: [UInt8] = [0, 0, 0]) -> [UInt8] {
    ImageFormat.pngSignature
        + pngChunk("IHDR", bigEndianBytes(width) + bigEndianBytes(height) + [depth, colour] + rest)
}

func fixtureBytes(_ path: String) throws -> [UInt8] { try Array(fixtureData(path)) }

/// The error that `body` throws.
func imageError(_ body: () throws -> Void) -> ImageError? {
    do {
        try body()
        return nil
    } catch {
        return error as? ImageError
    }
}
