/// XXH64 (xxHash, BSD licence; seed 0), incremental: a checksum against damage.
///
/// It notices what discs and interrupted writes do at several gigabytes a second. It is no defence against intent:
/// what names things is a ``SHA256`` digest.
public struct XXH64: Sendable {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    private var a = prime1 &+ prime2
    private var b = prime2
    private var c: UInt64 = 0
    private var d: UInt64 = 0 &- prime1
    /// Bytes that do not fill a block of 32 yet.
    private var pending: [UInt8] = []
    private var length: UInt64 = 0

    public init() { pending.reserveCapacity(32) }

    /// The checksum of a whole text.
    public static func checksum(_ bytes: [UInt8]) -> UInt64 {
        var hash = XXH64()
        hash.update(unsafe bytes.span.bytes)
        return hash.finish()
    }

    public mutating func update(_ bytes: RawSpan) {
        length &+= UInt64(bytes.byteCount)
        var position = 0
        while !pending.isEmpty, position < bytes.byteCount {
            pending.append(bytes.byte(position))
            position += 1
            if pending.count == 32 {
                let block = pending
                _ = blocks(unsafe block.span.bytes, from: 0)
                pending.removeAll(keepingCapacity: true)
            }
        }
        position = blocks(bytes, from: position)
        while position < bytes.byteCount {
            pending.append(bytes.byte(position))
            position += 1
        }
    }

    /// Takes in whole blocks, four words each.
    ///
    /// - Returns: the position behind them.
    private mutating func blocks(_ bytes: RawSpan, from start: Int) -> Int {
        var position = start
        var (a, b, c, d) = (a, b, c, d)
        while bytes.byteCount - position >= 32 {
            a = Self.round(a, bytes.word(position))
            b = Self.round(b, bytes.word(position + 8))
            c = Self.round(c, bytes.word(position + 16))
            d = Self.round(d, bytes.word(position + 24))
            position += 32
        }
        (self.a, self.b, self.c, self.d) = (a, b, c, d)
        return position
    }

    public consuming func finish() -> UInt64 {
        var hash: UInt64
        if length >= 32 {
            hash = Self.rotated(a, 1) &+ Self.rotated(b, 7) &+ Self.rotated(c, 12) &+ Self.rotated(d, 18)
            for lane in [a, b, c, d] { hash = (hash ^ Self.round(0, lane)) &* Self.prime1 &+ Self.prime4 }
        } else {
            hash = Self.prime5
        }
        hash &+= length
        let rest = unsafe pending.span.bytes
        var position = 0
        while rest.byteCount - position >= 8 {
            hash = Self.rotated(hash ^ Self.round(0, rest.word(position)), 27) &* Self.prime1 &+ Self.prime4
            position += 8
        }
        if rest.byteCount - position >= 4 {
            let word = (0..<4).reduce(UInt64(0)) { $0 | UInt64(rest.byte(position + $1)) << (8 * UInt64($1)) }
            hash = Self.rotated(hash ^ (word &* Self.prime1), 23) &* Self.prime2 &+ Self.prime3
            position += 4
        }
        while position < rest.byteCount {
            hash = Self.rotated(hash ^ (UInt64(rest.byte(position)) &* Self.prime5), 11) &* Self.prime1
            position += 1
        }
        hash = (hash ^ hash >> 33) &* Self.prime2
        hash = (hash ^ hash >> 29) &* Self.prime3
        return hash ^ hash >> 32
    }

    @inline(__always) private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotated(lane &+ word &* prime2, 31) &* prime1
    }
    @inline(__always) private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 {
        word << count | word >> (64 &- count)
    }
}

extension RawSpan {
    /// Eight bytes, the first the least significant.
    @inline(__always) fileprivate func word(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    @inline(__always) fileprivate func byte(_ offset: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}
