internal import Tensors

/// Computes stretches of a tensor's stored bytes.
struct TensorBytes: Sendable {
    let dtype: DType
    let contents: Manifest.Contents
    let generator: Philox

    init(_ entry: Manifest.Entry, seed: String) {
        dtype = entry.dtype
        contents = entry.contents
        if case .uniform(_, _, let name) = entry.contents {
            generator = Philox(seed: seed, name: name)
        } else {
            generator = Philox(seed: seed, name: "")
        }
    }

    /// Passes the bytes of some elements to `body`.
    ///
    /// - Parameter range: elements; its lower bound is a multiple of four.
    func with<Result>(_ range: Range<Int>, _ body: (RawSpan) -> Result) -> Result {
        switch dtype {
        case .float16: pass(range, { Rounding.float16(Float($0)) }, body)
        case .bfloat16: pass(range, { Rounding.bfloat16(Float($0)) }, body)
        case .float8e4m3: pass(range, { Rounding.e4m3(Float($0)) }, body)
        case .float8e5m2: pass(range, { Rounding.e5m2(Float($0)) }, body)
        // Towards zero; what the type cannot hold becomes its nearest number.
        case .int64: pass(range, { Int64(max(min($0, 0x1.fffffffffffffp62), -0x1p63)) }, body)
        case .int32: pass(range, { Int32(max(min($0, 2_147_483_647), -2_147_483_648)) }, body)
        case .uint8: pass(range, { UInt8(max(min($0, 255), 0)) }, body)
        default: pass(range, { Float($0).bitPattern }, body)
        }
    }

    @inline(__always)
    private func pass<Word: FixedWidthInteger & BitwiseCopyable, Result>(
        _ range: Range<Int>, _ encode: (Double) -> Word, _ body: (RawSpan) -> Result
    ) -> Result {
        var words: [Word]
        switch contents {
        case .constant(let value): words = [Word](repeating: encode(value), count: range.count)
        case .list(let values): words = values[range].map(encode)
        case .file: words = []
        case .uniform(let centre, let halfWidth, _):
            words = [Word](repeating: 0, count: range.count)
            draw(&words, from: range.lowerBound) { encode(centre + halfWidth * $0) }
        }
        // Integers have no padding: all their bytes are initialised.
        return unsafe body(words.span.bytes)
    }

    @inline(__always)
    private func draw<Word: BitwiseCopyable>(_ words: inout [Word], from start: Int, _ encode: (Double) -> Word) {
        var out = words.mutableSpan
        var block = UInt64(start / 4)
        var index = 0
        while index + 4 <= out.count {
            let u = generator.uniforms(block: block)
            out[index] = encode(u.0)
            out[index + 1] = encode(u.1)
            out[index + 2] = encode(u.2)
            out[index + 3] = encode(u.3)
            index += 4
            block += 1
        }
        guard index < out.count else { return }
        let last = generator.uniforms(block: block)
        for (offset, u) in [last.0, last.1, last.2].enumerated() where index + offset < out.count {
            out[index + offset] = encode(u)
        }
    }
}
