import JSON
import Testing

@Suite struct JSONParseTests {
    @Test func integersKeepAllBits() throws {
        let value = try JSON(
            parsing: "[18446744073709551615, 9223372036854775807, -9223372036854775808, 9007199254740993, -0, 7]")
        #expect(
            value
                == .array([.uint(.max), .int(.max), .int(.min), .int(9_007_199_254_740_993), .int(0), .int(7)]))
    }

    @Test func integersBeyond64BitsAreDoubles() throws {
        let value = try JSON(
            parsing: "{\"a\": 18446744073709551616, \"b\": [-9223372036854775809], \"c\": \"18446744073709551616\"}")
        #expect(value["a"] == .double(0x1p64))
        #expect(value["b"]?[0] == .double(-0x1p63))
        #expect(value["c"] == .string("18446744073709551616"))
        #expect(try JSON(parsing: "99999999999999999999") == .double(1e20))
        #expect(try JSON(parsing: "[1e18446744073709551616, 2]")[1] == .int(2))
    }

    @Test func positionsCountTheTextAsGiven() {
        #expect(throws: JSONError.self) { try JSON(parsing: "[18446744073709551616, x]") }
        do {
            _ = try JSON(parsing: "[18446744073709551616] x")
        } catch {
            #expect(error.offset == 23)
        }
        do {
            _ = try JSON(parsing: Array("\u{FEFF}[1] x".utf8))
        } catch {
            #expect(error.offset == 7)
        }
    }

    @Test func notANumberAndInfinity() throws {
        let value = try JSON(parsing: "{\"is_changed\": NaN, \"i\": [Infinity, -Infinity, 1e999]}")
        guard case .double(let number)? = value["is_changed"] else {
            Issue.record("NaN is not a double")
            return
        }
        #expect(number.isNaN)
        #expect(value["i"] == .array([.double(.infinity), .double(-.infinity), .double(.infinity)]))
    }

    @Test(arguments: [
        "", " ", "{", "[1,", "\"a", "tru", "{\"a\"}", "[1,]", "{\"a\":1,}", "{'a':1}", "// c\n1", "/* c */1", "nan",
        "INFINITY",
        "True", "1 2", "[1] x", "{\"a\":1}}", "01", "+1", "-", "1.e", "[\"\\x\"]", "\u{0}", "1\u{0}2",
    ])
    func faultsAreErrors(text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    @Test func keysWithNullAreErrors() throws {
        #expect(throws: JSONError.self) { try JSON(parsing: "{\"a\\u0000b\" : 1}") }
        #expect(try JSON(parsing: "{\"a\": \"x\\u0000y\"}")["a"] == .string("x\u{0}y"))
        #expect(try JSON(parsing: "{\"a\\\\u0000\": 1}")["a\\u0000"] == .int(1))
    }

    @Test func invalidUTF8IsAnError() {
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xC3, 0x28, 0x22]) }
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test func surrogatesAndEscapes() throws {
        #expect(try JSON(parsing: "\"\\ud83d\\ude00 \\u00e9 \\n\"") == .string("😀 é \n"))
        #expect(try JSON(parsing: "\"\\ud800\"") == .string("\u{FFFD}"))
    }

    @Test func depthIsLimited() throws {
        let depth = 200
        _ = try JSON(parsing: String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
        #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 5_000_000)) }
        #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "{\"a\":", count: 1_000_000)) }
    }

    @Test func orderAndRepeatedKeys() throws {
        let value = try JSON(parsing: "{\"b\": 1, \"a\": 2, \"b\": 3}")
        #expect(value.objectValue?.keys == ["b", "a"])
        #expect(value["b"] == .int(3))
    }

    /// Cutting and changing bytes gives a value or an error, never a trap.
    @Test func mutationsNeverTrap() {
        let seed = Array("{\"a\": [1, -2.5e3, \"x\\u0041\\n\", null, true, NaN, 18446744073709551616], \"é\": {}}".utf8)
        var state: UInt64 = 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        var parsed = 0
        for _ in 0..<20_000 {
            var text = seed
            for _ in 0...random(3) {
                switch random(3) {
                case 0 where !text.isEmpty: text[random(text.count)] = UInt8(random(256))
                case 1 where !text.isEmpty: text.remove(at: random(text.count))
                default: text.insert(UInt8(random(256)), at: random(text.count + 1))
                }
            }
            if (try? JSON(parsing: text)) != nil { parsed += 1 }
        }
        #expect(parsed > 100)
    }
}
