import JSON
import NodeKit
import PackTools
import Testing

struct ExpressionTests {
    private func value(_ text: String, _ dialect: Expression.Dialect = .python) throws -> ExpressionNumber {
        try Expression(text, dialect: dialect).value { name, member in
            switch (name, member) {
            case ("a", nil): .int(7)
            case ("b", nil): .int(-3)
            case ("c", nil): .real(2.5)
            default: throw ExpressionError("unknown \(name)")
            }
        }
    }

    private func message(_ text: String, _ dialect: Expression.Dialect = .python) -> String {
        do {
            return "value \(try value(text, dialect))"
        } catch {
            return "\(error)"
        }
    }

    /// 600 random expressions with the values Python gives them.
    @Test func valuesAreThoseOfPython() throws {
        let cases = try #require(try Fixture.json("expressions.json").arrayValue)
        #expect(cases.count == 600)
        for entry in cases {
            let (text, expected) = (entry[0]?.stringValue ?? "", entry[1]?.stringValue ?? "")
            if expected == "error" {
                #expect(message(text).contains("division by zero"), "\(text)")
                continue
            }
            let found = try value(text)
            if found.description == expected { continue }
            // The last digit of a power or rounding may differ.
            let number = try #require(Double(expected), "\(text): \(found) instead of \(expected)")
            let isClose = abs(found.double - number) <= 1e-12 * max(1, abs(number))
            if case .real = found {} else { Issue.record("\(text): \(found) instead of \(expected)") }
            #expect(isClose, "\(text): \(found) instead of \(expected)")
        }
    }

    @Test(arguments: [
        ("2 ** 63", "does not fit in 64 bits"), ("9 ** 9 ** 9", "does not fit in 64 bits"),
        ("9223372036854775807 + 1", "does not fit in 64 bits"), ("9223372036854775808", "does not fit in 64 bits"),
        ("-9223372036854775807 - 2", "does not fit in 64 bits"), ("1 << 63", "does not fit in 64 bits"),
        ("(-9223372036854775807 - 1) // -1", "does not fit in 64 bits"),
        ("-(-9223372036854775807 - 1)", "does not fit in 64 bits"), ("1e308 ** 2", "does not fit in 64 bits"),
        ("int(1e300)", "whole number of 64 bits"), ("1 // 0", "division by zero"), ("1 % 0.0", "division by zero"),
        ("0 ** -1", "negative power"), ("(-8) ** 0.5", "no real power"), ("1 << -1", "shifted"),
        ("1.5 & 1", "whole numbers"), ("sqrt(-1)", "square root"), ("1 +", "found the end"), ("(1", "expected \")\""),
        ("1 2", "does not belong"), ("a.", "expected a name"), ("foo(1)", "function foo is unknown"),
        ("import os", "does not belong"), ("\"x\"", "no meaning"), ("min()", "needs a value"), ("0x", "no number"),
        ("round(9223372036854775807, -1)", "does not fit in 64 bits"), ("", "found the end"), ("iif(1, 2)", "3 values"),
    ]) func errors(text: String, expected: String) { #expect(message(text).contains(expected), "\(message(text))") }

    @Test(arguments: [
        ("2 ** -1", "0.5"), ("-2 ** 2", "-4"), ("7 // -2", "-4"), ("-7 % 3", "2"), ("7 % -3", "-2"),
        ("7.5 // 2", "3.0"),
        ("-1 ** 9223372036854775807", "-1"), ("0 << 9999", "0"), ("-5 >> 9999", "-1"), ("0x1F + 0b11 + 1_000", "1034"),
        ("round(2.5)", "2"), ("round(15, -1)", "20"), ("round(25, -1)", "20"), ("floor(-0.5)", "-1"),
        ("ceil(0.2)", "1"),
        ("1 < 2 < 2", "False"), ("3 and 0 or 5", "5"), ("iif(0, 1/0, 4)", "4"), (".5 + 5.", "5.5"), ("1e-5", "1e-05"),
        ("~5", "-6"), ("not 3", "False"), ("sum(1, 2.5)", "3.5"), ("a if b else c", "7"), ("max(1, 2.0, 2)", "2.0"),
    ]) func valuesAtTheEdges(text: String, expected: String) throws { #expect(try value(text).description == expected) }

    /// MathExpression knows no truth values, and looks at two operands only.
    @Test(arguments: [
        ("1 < 2", "1"), ("not 3", "0"), ("5 and 3", "1"), ("0 or 0 or 7", "0"), ("1 < 2 < 0", "1"), ("3 or 1/0", "1"),
    ]) func mathDialect(text: String, expected: String) throws {
        #expect(try value(text, .mathExpression).description == expected)
    }

    @Test func depthAndLengthAreLimited() {
        let nested = String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 4999)
        #expect(message(nested).contains("levels deep"))
        #expect(message(String(repeating: "2 ** ", count: 1500) + "2").contains("levels deep"))
        #expect(message(String(repeating: "-", count: 9999) + "1") == "value -1")
        #expect(message(String(repeating: "1 + ", count: 2400) + "1") == "value 2401")
        #expect(message(String(repeating: "1", count: 10_001)).contains("10001 characters"))
    }

    /// Texts of random words never trap, and the quotient and remainder of numbers belong together.
    @Test func randomTexts() throws {
        var generator = SystemRandomNumberGenerator()
        let words = [
            "a", "b", "c", "1", "0", "9223372036854775807", "2.5", "1e308", "+", "-", "*", "/", "//", "%", "**", "<<",
            ">>",
            "&", "|", "^", "~", "(", ")", ",", "min", "round", "iif", "not", "and", "or", "<", "==", "if", "else", ".",
            "x",
        ]
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...14, using: &generator)
            let text = (0..<count).map { _ in words.randomElement(using: &generator) ?? "" }.joined(separator: " ")
            _ = message(text)
            _ = message(text, .mathExpression)
        }
        for _ in 0..<5_000 {
            let (a, b) = (Int.random(in: -1000...1000), Int.random(in: -50...50))
            if b == 0 { continue }
            #expect(try value("(\(a)) // (\(b)) * (\(b)) + (\(a)) % (\(b)) == (\(a))").description == "True")
        }
    }

    @Test func mathExpressionNode() async throws {
        let picture = Image(try .zeros([1, 4, 6, 3]))
        let results = try await call(
            "MathExpression|pysssss", ["expression": "(a.width + b) / 4", "a": picture, "b": 3])
        #expect(results[0].first as? Int == 2 && results[1].first as? Double == 2.25)
        #expect(await failure("MathExpression|pysssss", ["expression": "a + 1", "a": picture]).contains("a.width"))
        #expect(await failure("MathExpression|pysssss", ["expression": "b + 1"]).contains("nothing is connected"))

        let prompt: JSON = [
            "3": ["class_type": "KSampler", "inputs": ["steps": 12], "_meta": ["title": "First"]],
            "7": ["class_type": "MathExpression|pysssss", "inputs": [:]],
        ]
        let context = try Installation().context(prompt: prompt)
        #expect(
            try await result("MathExpression|pysssss", ["expression": "First.steps * 2"], context, as: Int.self) == 24)
        let definition = try definition("MathExpression|pysssss")
        #expect(try definition.fingerprint(["expression": ["First.steps"]], context)?.contains("12") == true)
        #expect(try definition.fingerprint(["expression": ["a * 2"]], context) == nil)
        #expect(throws: AlwaysChanged.self) { try definition.fingerprint(["expression": ["randomint(1, 6)"]], context) }
    }

    @Test func otherMathNodes() async throws {
        let integers = try await call("Evaluate Integers", ["python_expression": "a//3", "a": 10])
        #expect(integers[0].first as? Int == 3 && integers[2].first as? String == "3")
        let truth = try await call("Evaluate Integers", ["python_expression": "a < 1", "a": 0])
        #expect(truth[0].first as? Int == 1 && truth[2].first as? String == "True")
        let simple = try await call("SimpleMath+", ["value": "a*b/4", "a": 3, "b": 2.5])
        #expect(simple[0].first as? Int == 2 && simple[1].first as? Double == 1.875)
    }
}

extension JSON: @retroactive ExpressibleByIntegerLiteral, @retroactive ExpressibleByStringLiteral,
    @retroactive ExpressibleByDictionaryLiteral
{
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(dictionaryLiteral elements: (String, JSON)...) {
        var members = JSONObject()
        for (key, value) in elements { members[key] = value }
        self = .object(members)
    }
}
