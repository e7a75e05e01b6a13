internal import Hashing

/// The counter-based generator Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
///
/// Any block of four numbers can be computed by itself, so a tensor is drawn by all cores and its bytes do not depend on
/// how the work was divided.
struct Philox: Sendable {
    let key: (UInt64, UInt64)

    /// Keyed by a seed and a name: the first 16 bytes of SHA-256("seed:name"), little-endian.
    init(seed: String, name: String) {
        let digest = SHA256.digest("\(seed):\(name)".utf8).bytes
        key = (Self.word(digest[0..<8]), Self.word(digest[8..<16]))
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Numbers 4·block … 4·block + 3 of the stream, each in the upper 24 bits' worth of [−1, 1).
    @inline(__always)
    func uniforms(block: UInt64) -> (Double, Double, Double, Double) {
        // The stream starts at counter 1.
        var (c0, c1, c2, c3) = (block &+ 1, UInt64(0), UInt64(0), UInt64(0))
        var (k0, k1) = key
        for _ in 0..<10 {
            let a = (0xD2E7_470E_E14C_6C93 as UInt64).multipliedFullWidth(by: c0)
            let b = (0xCA5A_8263_9512_1157 as UInt64).multipliedFullWidth(by: c2)
            (c0, c1, c2, c3) = (b.high ^ c1 ^ k0, b.low, a.high ^ c3 ^ k1, a.low)
            k0 &+= 0x9E37_79B9_7F4A_7C15
            k1 &+= 0xBB67_AE85_84CA_A73B
        }
        return (Self.uniform(c0), Self.uniform(c1), Self.uniform(c2), Self.uniform(c3))
    }

    @inline(__always)
    private static func uniform(_ raw: UInt64) -> Double { 2 * (Double(Int64(raw >> 40)) / 0x1p24) - 1 }
}
