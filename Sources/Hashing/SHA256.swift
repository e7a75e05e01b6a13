/// SHA-256 (FIPS 180-4), incremental.
///
/// Cache keys use it, rather than a faster hash without cryptographic strength, because a workflow is foreign input:
/// nobody may be able to write one whose nodes take the results of another. Keys are a few hundred bytes, so that speed
/// hardly counts; and the digest is the same on every machine and in every version, as a cache on disk needs it.
public struct SHA256: Sendable {
    /// 32 bytes in the order of the standard.
    public struct Digest: Sendable, Hashable, CustomStringConvertible {
        let a: UInt64
        let b: UInt64
        let c: UInt64
        let d: UInt64

        fileprivate init(_ state: [UInt32]) {
            func pair(_ i: Int) -> UInt64 { UInt64(state[i]) << 32 | UInt64(state[i + 1]) }
            (a, b, c, d) = (pair(0), pair(2), pair(4), pair(6))
        }

        /// A digest from its 32 bytes; `nil` for any other number of them.
        public init?(bytes: [UInt8]) {
            guard bytes.count == 32 else { return nil }
            let words = (0..<4).map { word in bytes[8 * word..<8 * word + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            }
            (a, b, c, d) = (words[0], words[1], words[2], words[3])
        }

        /// A digest from its 64 hexadecimal digits.
        public init?(hexadecimal text: String) {
            let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
            guard digits.count == 64, text.utf8.count == 64 else { return nil }
            self.init(bytes: (0..<32).map { UInt8(digits[2 * $0] << 4 | digits[2 * $0 + 1]) })
        }

        /// The 32 bytes.
        public var bytes: [UInt8] {
            [a, b, c, d].flatMap { word in
                stride(from: UInt64(56), through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
            }
        }

        /// 64 hexadecimal digits.
        public var description: String {
            [a, b, c, d].map { word in
                let digits = String(word, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
        }
    }

    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var pending: [UInt8] = []
    private var length: UInt64 = 0

    public init() { pending.reserveCapacity(64) }

    /// The digest of a whole text.
    public static func digest(_ bytes: some Sequence<UInt8>) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }

    public mutating func update(_ bytes: some Sequence<UInt8>) {
        // Arrays, which the compiler makes fast code for; a generic sequence costs a call per byte.
        let bytes = (bytes as? [UInt8]) ?? Array(bytes)
        var next = 0
        if !pending.isEmpty {
            next = min(64 - pending.count, bytes.count)
            pending += bytes[..<next]
            if pending.count == 64 { compressPending() }
        }
        while next + 64 <= bytes.count {
            Self.compress(&state, bytes, at: next)
            length &+= 64
            next += 64
        }
        pending += bytes[next...]
    }

    public consuming func finish() -> Digest {
        let bits = (length &+ UInt64(pending.count)) &* 8
        pending.append(0x80)
        while pending.count != 56 {
            if pending.count == 64 { compressPending() }
            pending.append(0)
        }
        for shift in stride(from: 56, through: 0, by: -8) { pending.append(UInt8(truncatingIfNeeded: bits >> shift)) }
        compressPending()
        return Digest(state)
    }

    private mutating func compressPending() {
        Self.compress(&state, pending, at: 0)
        length &+= 64
        pending.removeAll(keepingCapacity: true)
    }

    private static func compress(_ state: inout [UInt32], _ block: [UInt8], at start: Int) {
        var schedule = InlineArray<64, UInt32>(repeating: 0)
        for i in 0..<16 {
            let at = start + 4 * i
            let word = UInt32(block[at]) << 24 | UInt32(block[at + 1]) << 16 | UInt32(block[at + 2]) << 8
            schedule[i] = word | UInt32(block[at + 3])
        }
        for i in 16..<64 {
            let (early, late) = (schedule[i - 15], schedule[i - 2])
            let s0 = rotated(early, 7) ^ rotated(early, 18) ^ early >> 3
            let s1 = rotated(late, 17) ^ rotated(late, 19) ^ late >> 10
            schedule[i] = schedule[i - 16] &+ s0 &+ schedule[i - 7] &+ s1
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for i in 0..<64 {
            let s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
            let first = h &+ s1 &+ (e & f ^ ~e & g) &+ constants[i] &+ schedule[i]
            let s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
            let second = s0 &+ (a & b ^ a & c ^ b & c)
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
        }
        for (i, word) in [a, b, c, d, e, f, g, h].enumerated() { state[i] &+= word }
    }

    @inline(__always) private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 {
        word >> count | word << (32 - count)
    }

    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}
