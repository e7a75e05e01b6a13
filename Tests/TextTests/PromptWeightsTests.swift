import Testing

@testable import Text

struct PromptWeightsTests {
    static let cases: [(String, [(String, Double)])] = [
        ("", []),
        ("plain text", [("plain text", 1)]),
        ("a (red) fox", [("a ", 1), ("red", 1.1), (" fox", 1)]),
        ("a (red:1.3) fox", [("a ", 1), ("red", 1.3), (" fox", 1)]),
        ("((a))", [("a", 1.1 * 1.1)]),
        ("((a:1.5))", [("a", 1.5)]),
        ("((a:1.5) b)", [("a", 1.5), (" b", 1.1)]),
        ("((a) b:0.5)", [("a", 0.5 * 1.1), (" b", 0.5)]),
        ("(a)(b)", [("a", 1.1), ("b", 1.1)]),
        ("(16:9)", [("16", 9)]),
        ("(ratio 16:9 x)", [("ratio 16:9 x", 1.1)]),
        ("(x:1.2.3)", [("x:1.2.3", 1.1)]),
        ("(a:b:0.5)", [("a:b", 0.5)]),
        ("(:1.5)", [(":1.5", 1.1)]),
        ("(a:)", [("a:", 1.1)]),
        ("()", []),
        ("(a: 1.4 )(b:+1.2)(c:1e-1)(d:-.5)(e:2.)", [("a", 1.4), ("b", 1.2), ("c", 0.1), ("d", -0.5), ("e", 2)]),
        ("(a:1_0.5)(b:_1)(c:1__0)", [("a", 10.5), ("b:_1", 1.1), ("c:1__0", 1.1)]),
        ("(a:１.２)", [("a", 1.2)]),
        ("(a:inf)(b:nan)(c:1e999)(d:0x2)", [("a:inf", 1.1), ("b:nan", 1.1), ("c:1e999", 1.1), ("d:0x2", 1.1)]),
        (#"a \(b\) (c \(d\):1.2)"#, [("a (b) ", 1), ("c (d)", 1.2)]),
        (#"\\(a)"#, [(#"\(a)"#, 1)]),
        ("an (open", [("an ", 1), ("(open", 1)]),
        ("(a (b)", [("a ", 1.1), ("(b", 1.1)]),
        ("a) (b:1.2) (c:1.3)", [("a) (b:1.2) (c:1.3)", 1)]),
        ("[soft] {x|y} BREAK", [("[soft] {x|y} BREAK", 1)]),
    ]

    @Test(arguments: cases.indices)
    func parses(index: Int) throws {
        let (prompt, expected) = Self.cases[index]
        #expect(try WeightedText.parse(prompt) == expected.map { WeightedText($0.0, weight: $0.1) }, "\(prompt)")
    }

    @Test func nestingIsLimited() throws {
        let deep = String(repeating: "(", count: 900) + "a" + String(repeating: ")", count: 900)
        let one = try WeightedText.parse(deep)
        #expect(one.count == 1 && one[0].text == "a" && one[0].weight > 1e37)
        let tooDeep = String(repeating: "(", count: 5000) + "a" + String(repeating: ")", count: 5000)
        #expect { try WeightedText.parse(tooDeep) } throws: { error in
            (error as? TokenizerError)?.code == .prompt && "\(error)".contains("nested deeper than 1000")
        }
    }

    @Test func longPromptsTakeLinearTime() throws {
        let flat = String(repeating: "(a:1.2) b ", count: 50_000)
        #expect(try WeightedText.parse(flat).count == 100_000)
    }
}
