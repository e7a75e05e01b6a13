import Hashing
import JSON
import NodeKit
import Synchronization
import Tensors
import Testing
import Workflow

@testable import Engine

/// A value whose end can be observed.
final class Witness: Sendable {
    private let onEnd: @Sendable () -> Void
    init(_ onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }
    deinit { onEnd() }
}

struct WitnessValue: NodeValue {
    static let socketType = "WITNESS"
    let witness: Witness
    let size: Int
    var byteCount: Int { size }
}

/// Counts the witnesses that are alive.
final class Census: Sendable {
    private let state = Mutex((alive: 0, most: 0))
    var alive: Int { state.withLock { $0.alive } }
    var most: Int { state.withLock { $0.most } }

    func value(_ size: Int) -> WitnessValue {
        state.withLock { $0 = ($0.alive + 1, max($0.most, $0.alive + 1)) }
        return WitnessValue(
            witness: Witness { [self] in
                state.withLock { $0.alive -= 1 }
            }, size: size)
    }

    /// "Make" gives a witness, "Pass" a new one for an old one, "End" is an output.
    func pack(size: Int) -> NodePack {
        func schema(_ id: String, inputs: [InputSchema], isOutput: Bool = false) -> NodeSchema {
            NodeSchema(
                id: id, displayName: id, category: "test", isOutput: isOutput, inputs: inputs,
                outputs: isOutput ? [] : [OutputSchema(name: "value", type: "WITNESS")])
        }
        let input = InputSchema(name: "value", kind: .type("WITNESS"), takesLiterals: false)
        return NodePack(
            "census",
            definitions: [
                NodeDefinition(
                    schema: schema("Make", inputs: [InputSchema(name: "number", kind: .type("INT"))])
                ) { _, _ in [[self.value(size)]] },
                NodeDefinition(schema: schema("Pass", inputs: [input])) { _, _ in [[self.value(size)]] },
                NodeDefinition(schema: schema("End", inputs: [input], isOutput: true)) { _, _ in [] },
            ])
    }
}

@Suite struct MemoryTests {
    private func chain(_ length: Int) -> Prompt {
        var nodes = [node("0", "Make", ["number": 0])]
        for index in 1..<length { nodes.append(node("\(index)", "Pass", ["value": link("\(index - 1)")])) }
        nodes.append(node("end", "End", ["value": link("\(length - 1)")]))
        return Prompt(nodes)
    }

    @Test func valuesAreReleasedAtTheirLastUse() async {
        let census = Census()
        let harness = Harness(cacheBytes: 0, packs: [census.pack(size: 100)])
        let outcome = await harness.run(chain(20))
        #expect(outcome.result.executed.count == 21)
        #expect(census.most == 2, "a node's input and output, nothing else")
        #expect(census.alive == 0)
    }

    @Test func theCacheHoldsNoMoreThanItsLimit() async {
        let census = Census()
        // Five entries of 1000 bytes and what an entry itself counts.
        let harness = Harness(cacheBytes: 12_000, packs: [census.pack(size: 1000)])
        _ = await harness.run(chain(50))
        let statistics = harness.engine.cache.statistics
        #expect(statistics.byteCount <= 12_000)
        #expect(statistics.entries >= 4 && statistics.evictions >= 40)
        #expect(census.alive == statistics.entries - (harness.engine.cache.statistics.entries > census.alive ? 1 : 0))
        harness.engine.cache.removeAll()
        #expect(census.alive == 0)
    }

    @Test func aRunCompletesThoughTheCacheDropsWhatItNeeds() async {
        let census = Census()
        let harness = Harness(cacheBytes: 3_000, packs: [census.pack(size: 1000)])
        var nodes = [node("0", "Make", ["number": 0])]
        for index in 1..<10 { nodes.append(node("\(index)", "Pass", ["value": link("0")])) }
        for index in 1..<10 { nodes.append(node("e\(index)", "End", ["value": link("\(index)")])) }
        for _ in 0..<3 {
            let outcome = await harness.run(Prompt(nodes))
            #expect(outcome.log.lines.last == "success")
        }
        #expect(harness.engine.cache.statistics.byteCount <= 3_000)
    }

    @Test func manyRunsLeaveMemoryFlat() async {
        let census = Census()
        let harness = Harness(cacheBytes: 20_000, packs: [census.pack(size: 500)])
        for run in 0..<200 {
            var prompt = chain(8)
            prompt["0"]?.inputs["number"] = .literal(.int(Int64(run)))
            _ = await harness.run(prompt)
        }
        #expect(census.alive <= 14)
        #expect(harness.engine.cache.statistics.byteCount <= 20_000)
    }
}

@Suite struct ResultCacheTests {
    private func key(_ text: String) -> CacheKey { SHA256.digest(text.utf8) }
    private func result(_ size: Int) -> NodeResult {
        NodeResult(outputs: [[WitnessValue(witness: Witness {}, size: size)]])
    }

    @Test func theLeastRecentlyUsedGoesFirst() {
        let one = result(1000).byteCount
        let cache = ResultCache(byteLimit: 3 * one)
        for name in ["a", "b", "c"] { cache.store(result(1000), for: key(name)) }
        _ = cache[key("a")]
        cache.store(result(1000), for: key("d"))
        #expect(cache[key("b")] == nil)
        for name in ["a", "c", "d"] { #expect(cache[key(name)] != nil, "\(name)") }
        let statistics = cache.statistics
        #expect(statistics.entries == 3 && statistics.byteCount == 3 * one && statistics.evictions == 1)
    }

    @Test func storingAgainReplaces() {
        let cache = ResultCache(byteLimit: 100_000)
        cache.store(result(1000), for: key("a"))
        cache.store(result(3000), for: key("a"))
        #expect(cache.statistics.entries == 1)
        #expect(cache.statistics.byteCount == result(3000).byteCount)
    }

    @Test func whatIsLargerThanTheCacheIsNotKept() {
        let cache = ResultCache(byteLimit: 10_000)
        cache.store(result(1000), for: key("a"))
        cache.store(result(1_000_000), for: key("b"))
        #expect(cache[key("b")] == nil)
        #expect(cache[key("a")] != nil)
        let none = ResultCache(byteLimit: 0)
        none.store(result(0), for: key("a"))
        #expect(none.statistics.entries == 0)
    }

    @Test func sizesThatDoNotAddUpAreNoTrap() {
        let cache = ResultCache(byteLimit: 10_000)
        cache.store(result(.max), for: key("a"))
        cache.store(result(-5), for: key("b"))
        #expect(cache.statistics.entries == 1)
    }

    @Test func manyThreadsMayUseIt() async {
        let cache = ResultCache(byteLimit: 200_000)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for index in 0..<2000 {
                        let key = SHA256.digest("\((index * 7 + task) % 300)".utf8)
                        if cache[key] == nil { cache.store(self.result(1000), for: key) }
                    }
                }
            }
        }
        let statistics = cache.statistics
        #expect(statistics.byteCount <= 200_000)
        #expect(statistics.byteCount == statistics.entries * result(1000).byteCount)
    }
}
