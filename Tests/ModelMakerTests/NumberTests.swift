import Hashing
import Testing

@testable import ModelMaker

struct NumberTests {
    /// Test vectors of FIPS 180-4.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func sha256(text: String, digest: String) { #expect(SHA256.digest(text.utf8).description == digest) }

    /// Every float16 number, its neighbours in float32, and the ties between them, against the compiler's conversion.
    @Test func float16() {
        for code in UInt16.min..<0x7C00 {
            let low = Float(Float16(bitPattern: code))
            let high = code == 0x7BFF ? 65536 : Float(Float16(bitPattern: code + 1))
            for value in [low, low.nextUp, (low + high) / 2, ((low + high) / 2).nextUp, ((low + high) / 2).nextDown] {
                #expect(Rounding.float16(value) == Float16(value).bitPattern)
                #expect(Rounding.float16(-value) == Float16(-value).bitPattern)
            }
        }
        #expect(Rounding.float16(1e9) == 0x7C00 && Rounding.float16(-.infinity) == 0xFC00)
        #expect(Float16(bitPattern: Rounding.float16(.nan)).isNaN)
    }

    private func float8(_ code: Int, mantissa: Int, bias: Int) -> Float {
        let exponent = code >> mantissa
        let fraction = Float(code & (1 << mantissa - 1)) / Float(1 << mantissa)
        func power(_ n: Int) -> Float { Float(sign: .plus, exponent: n, significand: 1) }
        return exponent == 0 ? fraction * power(1 - bias) : (1 + fraction) * power(exponent - bias)
    }

    @Test(arguments: [(3, 7, 0x7E), (2, 15, 0x7B)])
    func float8(mantissa: Int, bias: Int, top: Int) {
        let round = mantissa == 3 ? Rounding.e4m3 : Rounding.e5m2
        for code in 0..<top {
            let low = float8(code, mantissa: mantissa, bias: bias)
            let middle = (low + float8(code + 1, mantissa: mantissa, bias: bias)) / 2
            let even = UInt8(code % 2 == 0 ? code : code + 1)
            #expect(round(low) == code && round(-low) == UInt8(code) | 0x80)
            #expect(round(middle) == even && round(middle.nextDown) == code && round(middle.nextUp) == code + 1)
        }
        for value in [float8(top, mantissa: mantissa, bias: bias), 1e6, .infinity] {
            #expect(round(value) == top && round(-value) == UInt8(top) | 0x80)
        }
    }

    @Test func bfloat16() {
        #expect(Rounding.bfloat16(1) == 0x3F80)
        #expect(Rounding.bfloat16(Float(bitPattern: 0x3F80_8000)) == 0x3F80)
        #expect(Rounding.bfloat16(Float(bitPattern: 0x3F81_8000)) == 0x3F82)
        #expect(Rounding.bfloat16(Float(bitPattern: 0x3F80_8001)) == 0x3F81)
    }

    /// Blocks are independent of where drawing starts.
    @Test func blocks() {
        let generator = Philox(seed: "1", name: "a")
        let first = generator.uniforms(block: 0)
        let second = generator.uniforms(block: 1)
        #expect(first.0 != second.0)
        for u in [first.0, first.1, first.2, first.3] { #expect((-1..<1).contains(u)) }
    }
}
