import NodeKit
import Synchronization
import Tensors

extension NodeContext {
    /// Waits, unless the run is stopped.
    fileprivate func sleep(_ seconds: Double) async throws {
        try await Task.sleep(for: .seconds(min(max(seconds, 0), 1e6)))
        try checkCancellation()
    }
}

/// Passes a value on after some time.
struct TestSleep: Node {
    static let info = NodeInfo(
        "TestSleep", category: "Testing/Async", usesNodeID: true, hidden: [.uniqueID], work: .waiting)
    @Input var value: AnyNodeValue
    @Input(.range(0.0...9999.0), .step(0.01)) var seconds = 1.0
    @Output("*") var result: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        while ContinuousClock.now < end {
            let done = (ContinuousClock.now - start) / .seconds(1)
            context.progress(done, of: seconds)
            try await Task.sleep(until: min(end, ContinuousClock.now + .milliseconds(10)), clock: .continuous)
            try context.checkCancellation()
        }
        context.progress(seconds, of: seconds)
        result = value
    }
}

/// Judges its inputs after a while; a picture of a tenth of the value.
struct TestAsyncValidation: ValidatingNode {
    static let info = NodeInfo("TestAsyncValidation", category: "Testing/Async")
    static let checks = NodeChecks(ports: ["value", "threshold"])
    @Input(.range(0.0...100.0)) var value = 5.0
    @Input(.range(0.0...100.0)) var threshold = 10.0
    @Output("IMAGE") var result: Image

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        try await Task.sleep(for: .milliseconds(50))
        guard $value.isGiven, $threshold.isGiven, value > threshold else { return nil }
        return "Value \(value) exceeds threshold \(threshold)"
    }
    func run(_ context: NodeContext) async throws { result = Image(try .full([1, 512, 512, 3], Float(value / 10))) }
}

/// Judges its inputs after a while.
struct TestAsyncValidationError: ValidatingNode {
    static let info = NodeInfo("TestAsyncValidationError", category: "Testing/Async")
    static let checks = NodeChecks(ports: ["value", "max_value"])
    @Input(.range(0.0...100.0)) var value = 5.0
    @Input(.range(0.0...100.0)) var maxValue = 10.0
    @Output("IMAGE") var result: Image

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        try await Task.sleep(for: .milliseconds(50))
        guard $value.isGiven, $maxValue.isGiven, value > maxValue else { return nil }
        return "Async validation failed: \(value) > \(maxValue)"
    }
    func run(_ context: NodeContext) async throws { result = Image(try .full([1, 512, 512, 3], Float(value / 10))) }
}

/// Fails after some time.
struct TestAsyncError: Node {
    static let info = NodeInfo("TestAsyncError", category: "Testing/Async", work: .waiting)
    @Input var value: AnyNodeValue
    @Input(.range(0.0...10.0), .step(0.01)) var errorAfter = 0.1
    @Output("*") var result: AnyNodeValue
    func run(_ context: NodeContext) async throws {
        try await context.sleep(errorAfter)
        throw NodeError("Intentional async execution error for testing")
    }
}

/// Fails when its work takes longer than it may.
struct TestAsyncTimeout: Node {
    static let info = NodeInfo("TestAsyncTimeout", category: "Testing/Async", work: .waiting)
    @Input var value: AnyNodeValue
    @Input(.range(0.1...10.0), .step(0.1)) var timeout = 1.0
    @Input(.range(0.1...10.0), .step(0.1)) var operationTime = 0.5
    @Output("*") var result: AnyNodeValue
    func run(_ context: NodeContext) async throws {
        try await context.sleep(min(timeout, operationTime))
        if operationTime > timeout { throw NodeError("Operation timed out after \(timeout) seconds") }
        result = value
    }
}

/// Fails at once.
struct TestSyncError: Node {
    static let info = NodeInfo("TestSyncError", category: "Testing/Async")
    @Input var value: AnyNodeValue
    @Output("*") var result: AnyNodeValue
    func run(_ context: NodeContext) async throws {
        throw NodeError("Intentional sync execution error for testing")
    }
}

/// Asks for its lazy inputs after a while.
struct TestAsyncLazyCheck: LazyNode {
    static let info = NodeInfo("TestAsyncLazyCheck", category: "Testing/Async")
    @Input(.lazy) var input1: AnyNodeValue?
    @Input(.lazy) var input2: AnyNodeValue?
    @Input var condition = true
    @Output("IMAGE") var result: Image

    func neededInputs(_ context: NodeContext) async throws -> [String] {
        try await Task.sleep(for: .milliseconds(50))
        var needed: [String] = []
        if condition && input1 == nil { needed.append("input1") }
        if !condition && input2 == nil { needed.append("input2") }
        return needed
    }
    func run(_ context: NodeContext) async throws { result = Image(try .full([1, 512, 512, 3], 1)) }
}

/// Holds a named resource for some time; fails when another node holds it.
struct TestAsyncResourceUser: Node {
    static let info = NodeInfo("TestAsyncResourceUser", category: "Testing/Async", work: .waiting)
    private static let inUse = Mutex<Set<String>>([])
    @Input var value: AnyNodeValue
    @Input var resourceId = "resource_1"
    @Input(.range(0.0...1.0), .step(0.01)) var duration = 0.1
    @Output("*") var result: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        let name = resourceId
        guard Self.inUse.withLock({ $0.insert(name).inserted }) else {
            throw NodeError("Resource \(name) already in use")
        }
        defer { _ = Self.inUse.withLock { $0.remove(name) } }
        try await context.sleep(duration)
        result = value
    }
}
