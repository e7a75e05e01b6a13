import JSON
import NodeKit

/// Stops what depends on it, if asked to.
struct TestExecutionBlocker: Node {
    static let info = NodeInfo("TestExecutionBlocker", category: "Testing/Flow")
    @Input var input: AnyNodeValue
    @Input var block: Bool
    @Input var verbose = false
    @Output("output") var output: AnyNodeValue
    func run(_ context: NodeContext) async throws {
        if block { $output.block(verbose ? "Blocked Execution" : nil) } else { output = input }
    }
}

/// Makes a list of single values.
struct TestMakeListNode: Node {
    static let info = NodeInfo("TestMakeListNode", category: "Testing/Lists")
    @Input var value1: AnyNodeValue
    @Input var value2: AnyNodeValue?
    @Input var value3: AnyNodeValue?
    @Input var value4: AnyNodeValue?
    @Input var value5: AnyNodeValue?
    @Input var value6: AnyNodeValue?
    @Input var value7: AnyNodeValue?
    @Input var value8: AnyNodeValue?
    @Input var value9: AnyNodeValue?
    @Output("list") var list: [AnyNodeValue]
    func run(_ context: NodeContext) async throws {
        list = [value1] + [value2, value3, value4, value5, value6, value7, value8, value9].compactMap { $0 }
    }
}

struct TestIntConditions: Node {
    static let info = NodeInfo("TestIntConditions", category: "Testing/Logic")
    @Input(.min(.double(-0x1p64)), .max(.uint(.max)), .step(1)) var a = 0
    @Input(.min(.double(-0x1p64)), .max(.uint(.max)), .step(1)) var b = 0
    @Input(.choices(["==", "!=", "<", ">", "<=", ">="])) var operation = "=="
    @Output("BOOLEAN") var result: Bool
    func run(_ context: NodeContext) async throws {
        switch operation {
        case "==": result = a == b
        case "!=": result = a != b
        case "<": result = a < b
        case ">": result = a > b
        case "<=": result = a <= b
        default: result = a >= b
        }
    }
}

struct TestToBoolNode: Node {
    static let info = NodeInfo("TestToBoolNode", category: "Testing/Logic")
    @Input var value: AnyNodeValue
    @Input(.optional) var invert = false
    @Output("BOOLEAN") var result: Bool
    func run(_ context: NodeContext) async throws { result = isTrue(value.base) != invert }
}

struct TestIntMathOperation: Node {
    static let info = NodeInfo("TestIntMathOperation", category: "Testing/Logic")
    @Input(.min(.double(-0x1p64)), .max(.uint(.max)), .step(1)) var a = 0
    @Input(.min(.double(-0x1p64)), .max(.uint(.max)), .step(1)) var b = 0
    @Input(.choices(["add", "subtract", "multiply", "divide", "modulo", "power"])) var operation = "add"
    @Output("INT") var result: Int

    func run(_ context: NodeContext) async throws {
        let overflow = NodeError("\(a) \(operation) \(b) has no result of 64 bits")
        func checked(_ report: (partialValue: Int, overflow: Bool)) throws -> Int {
            if report.overflow { throw overflow }
            return report.partialValue
        }
        switch operation {
        case "add": result = try checked(a.addingReportingOverflow(b))
        case "subtract": result = try checked(a.subtractingReportingOverflow(b))
        case "multiply": result = try checked(a.multipliedReportingOverflow(by: b))
        case "divide", "modulo":
            if b == 0 { throw NodeError("integer division or modulo by zero") }
            // Rounds towards negative infinity, as Python does.
            let quotient = try checked(a.dividedReportingOverflow(by: b))
            let rest = b == -1 ? 0 : a % b
            let isBelow = rest != 0 && (rest < 0) != (b < 0)
            result = operation == "divide" ? quotient - (isBelow ? 1 : 0) : rest + (isBelow ? b : 0)
        default:
            guard b >= 0 else { throw NodeError("a negative power of an integer is no integer") }
            var (power, base, exponent) = (1, a, b)
            while exponent > 0 {
                if exponent & 1 == 1 { power = try checked(power.multipliedReportingOverflow(by: base)) }
                exponent >>= 1
                if exponent > 0 { base = try checked(base.multipliedReportingOverflow(by: base)) }
            }
            result = power
        }
    }
}
