import Engine
import Foundation
import JSON
import NodeKit
import Testing
import Workflow

/// test-nodes.md §5, row by row.
@Suite struct ExecutionTests {
    let session: Session
    init() throws { session = try Session() }

    @Test func lazyInput() async throws {
        var g = Sketch()
        let (b, w, m) = (g.stub("BLACK"), g.stub("WHITE"), g.mask(0))
        let mix = g.mix(b, w, m)
        let s = g.save(mix)
        let outcome = await session.run(g)
        #expect(try outcome.means(s) == [0])
        #expect(outcome.ran.isSuperset(of: [b, m, mix]))
        #expect(!outcome.ran.contains(w))
    }

    @Test func fullCache() async throws {
        var g = Sketch()
        let s = g.save(g.mix(g.stub("BLACK"), g.stub("NOISE"), g.mask(0.5)))
        let first = await session.run(g)
        let second = await session.run(g)
        #expect(first.ran.count == 5)
        #expect(second.ran.isEmpty)
        #expect(second.result.outputs[s] == first.result.outputs[s])
        // Front ends show nothing for cached nodes unless told.
        #expect(
            second.events.contains { if case .executed(let node, .some) = $0.kind { node.id == s } else { false } })
    }

    @Test func partialCache() async throws {
        var g = Sketch()
        let (b, n, m) = (g.stub("BLACK"), g.stub("NOISE"), g.mask(0.5))
        _ = g.save(g.mix(b, n, m))
        _ = await session.run(g)
        g.set(m, "value", number(0.4))
        let second = await session.run(g)
        #expect(second.ran.isDisjoint(with: [b, n]))
        #expect(second.ran.contains(m))
    }

    @Test func anErrorNamesItsNode() async throws {
        var g = Sketch()
        let mix = g.mix(g.stub("BLACK"), g.stub("NOISE", size: 256), g.mask(0.5))
        _ = g.save(mix)
        let outcome = await session.run(g)
        #expect(outcome.failure?.nodeID == mix)
        let data = try #require(outcome.events.last?.data)
        #expect(outcome.events.last?.name == "execution_error")
        #expect(data["prompt_id"] == .string("p"))
    }

    @Test(arguments: [(JSON.int(5), true), (.string("foo"), true), (.double(5), false)])
    func literalsOfUnionTypes(_ value: JSON, _ isRefused: Bool) async throws {
        var g = Sketch()
        _ = g.save(g.add("TestCustomValidation1", ["input1": .literal(value), "input2": number(3)]))
        #expect(await session.run(g).isRefused == isRefused)
    }

    @Test func linksIntoUnionTypes() async throws {
        for (type, source, isRefused) in [
            ("TestCustomValidation1", "StubInt", true), ("TestCustomValidation1", "StubMask", true),
            ("TestCustomValidation2", "StubInt", true), ("TestCustomValidation2", "StubFloat", false),
            ("TestCustomValidation3", "StubInt", true), ("TestCustomValidation3", "StubFloat", false),
            ("TestCustomValidation4", "StubInt", true), ("TestCustomValidation4", "StubFloat", false),
        ] {
            var g = Sketch()
            let stub = g.add(source, ["value": source == "StubInt" ? int(5) : number(5)])
            _ = g.save(g.add(type, ["input1": out(stub), "input2": number(3)]))
            let outcome = await session.run(g)
            #expect(outcome.isRefused == isRefused, "\(source) → \(type)")
            #expect(isRefused || outcome.failure == nil)
        }
    }

    @Test func aValidatorOfAllInputsTakesOverTheRanges() async throws {
        for (value, isRefused) in [(0.5, false), (5.0, false), (7.0, true)] {
            var g = Sketch()
            _ = g.save(g.add("TestCustomValidation5", ["input1": number(0), "input2": number(value)]))
            #expect(await session.run(g).isRefused == isRefused, "\(value)")
        }
    }

    @Test func aMissingInputFarUpIsRefused() async throws {
        var g = Sketch()
        let m = g.mask(0.5)
        let mix1 = g.add("TestLazyMixImages", ["image1": out(g.stub("BLACK")), "mask": out(m)])
        _ = g.save(g.mix(mix1, g.stub("WHITE"), m))
        let outcome = await session.run(g)
        #expect(outcome.isRefused)
        #expect(outcome.report.nodes.first?.faults.map(\.kind) == [.requiredInputMissing])
    }

    @Test func aDynamicCycleIsAnErrorOfItsMaker() async throws {
        var g = Sketch()
        let maker = g.add(
            "TestDynamicDependencyCycle", ["input1": out(g.stub("BLACK")), "input2": out(g.stub("WHITE"))])
        _ = g.save(maker)
        let outcome = await session.run(g)
        #expect(outcome.failure?.nodeID == maker)
        #expect(outcome.failure?.classType == "TestDynamicDependencyCycle")
        #expect(outcome.failure?.exceptionType == "graph.DependencyCycleError")
        #expect(outcome.failure?.message == "Dependency cycle detected")
    }

    @Test func aMissingNodeDropsOnlyItsOutputs() async throws {
        var g = Sketch()
        let (b, w, m) = (g.stub("BLACK"), g.stub("WHITE"), g.mask(0.5))
        let bad = g.save(g.add("TestLazyMixImages", ["image1": out(b), "image2": out("gone"), "mask": out(m)]))
        let good = g.save(g.mix(b, w, m))
        let outcome = await session.run(g)
        #expect(!outcome.isRefused && outcome.failure == nil)
        #expect(outcome.report.validated?.outputs == [good])
        #expect(!outcome.ran.contains(bad))
        g.nodes["gone"] = g.nodes[w]
        let mended = await session.run(g)
        #expect(try mended.means(bad) == mended.means(good))
    }

    @Test func changeTexts() async throws {
        var g = Sketch()
        // The output comes first in the file, what feeds it last.
        let s = g.add("SaveImage", ["images": out("changed")])
        g.nodes["changed"] = PromptNode(
            classType: "TestCustomIsChanged", inputs: ["image": out("black"), "should_change": flag(false)])
        g.nodes["black"] = PromptNode(
            classType: "StubImage",
            inputs: ["content": text("BLACK"), "height": int(512), "width": int(512), "batch_size": int(1)])
        #expect(await session.run(g).ran.contains("changed"))
        #expect(await session.run(g).ran.isEmpty)
        g.set("changed", "should_change", flag(true))
        for _ in 0..<2 {
            let outcome = await session.run(g)
            #expect(outcome.ran.contains("changed") && outcome.ran.contains(s))
        }
    }

    @Test func undeclaredInputs() async throws {
        var g = Sketch()
        let (b, w) = (g.stub("BLACK"), g.stub("WHITE"))
        let s = g.save(
            g.add("TestVariadicAverage", ["input1": out(b), "input2": out(w), "input3": out(b), "input4": out(b)]))
        #expect(try await session.run(g).means(s) == [63])
    }

    @Test func aLoopRunsItsBodyAgainAndAgain() async throws {
        var g = Sketch()
        let i = g.add("TestCustomIsChanged", ["should_change": flag(true), "image": out(g.stub("WHITE"))])
        let black = g.stub("BLACK")
        let open = g.add("TestForLoopOpen", ["remaining": int(1), "initial_value1": out(i)])
        let average = g.add("TestVariadicAverage", ["input1": out(black), "input2": out(open, 2)])
        let close = g.add("TestForLoopClose", ["flow_control": out(open), "initial_value1": out(average)])
        let s = g.save(close)
        for (count, pixel) in [(1, 127.0), (2, 63), (3, 31), (4, 15)] {
            g.set(open, "remaining", int(count))
            let outcome = await session.run(g)
            #expect(outcome.failure == nil, "\(outcome.failure?.message ?? "")")
            #expect(try outcome.means(s) == [pixel], "\(count)")
            #expect(outcome.ran.contains(i))
            // People see the nodes that they drew.
            for event in outcome.events {
                if case .executing(let node) = event.kind {
                    #expect(g.nodes[node.displayID] != nil, "\(node.displayID)")
                }
            }
        }
    }

    @Test func oneNodeMayMixExpansionsAndValues() async throws {
        var g = Sketch()
        let values = g.list([number(0.1), number(0.2), number(0.3)])
        let mixed = g.add("TestMixedExpansionReturns", ["input1": out(values)])
        let (s1, s2) = (g.save(mixed), g.save(mixed, 1))
        let outcome = await session.run(g)
        #expect(try outcome.means(s1) == [25, 51, 76])
        #expect(try outcome.means(s2) == [255, 255, 255])
    }

    @Test func listsMakeLazyInputsLazyPerElement() async throws {
        var g = Sketch()
        let values = g.list([number(0), number(0.5), number(1)])
        let m = g.mask(0)
        g.set(m, "value", out(values))
        let mix = g.mix(g.stub("BLACK"), g.stub("WHITE"), m)
        let s = g.save(g.add("RebatchImages", ["images": out(mix), "batch_size": int(3)]))
        #expect(try await session.run(g).means(s) == [0, 127, 255])
    }

    @Test func twinsRunOnceAndBothHaveTheResult() async throws {
        for parallelNodes in [1, 4] {
            var g = Sketch()
            let b = g.stub("BLACK", size: 64 + parallelNodes)
            let (s1, s2) = (g.save(b), g.save(b))
            let outcome = await session.run(g, parallelNodes: parallelNodes)
            #expect(try outcome.means(s1).count == 1)
            #expect(outcome.result.outputs[s1] == outcome.result.outputs[s2])
            #expect(outcome.ran.count == 2)
        }
    }

    @Test func aChangeTextOfConstantsIsAskedForBeforeTheRun() async throws {
        var g = Sketch()
        let stub = g.add(
            "StubConstantImage", ["value": number(0.5), "height": int(512), "width": int(512), "batch_size": int(1)])
        let node = g.add("TestIsChangedWithConstants", ["image": out(stub), "value": number(0.5)])
        let p = g.preview(node)
        #expect(try await session.run(g).means(p) == [63])
        let second = await session.run(g)
        #expect(try second.means(p) == [63])
        #expect(!second.ran.contains(node))
    }

    @Test func aBlockerInAListDropsItsElement() async throws {
        var g = Sketch()
        let (b, w) = (g.stub("BLACK"), g.stub("WHITE"))
        let images = g.list([out(b), out(w), out(b)])
        let ints = g.list([int(1), int(2), int(3)])
        let condition = g.add("TestIntConditions", ["a": out(ints), "b": int(2), "operation": text("==")])
        let blocker = g.add(
            "TestExecutionBlocker", ["input": out(images), "block": out(condition), "verbose": flag(false)])
        let p = g.preview(g.list([out(blocker)]))
        let outcome = await session.run(g)
        #expect(outcome.ran.contains(p))
        #expect(try outcome.means(p) == [0, 0])
        #expect(!outcome.events.contains { if case .executionBlocked = $0.kind { true } else { false } })
    }

    @Test func aBlockerWithAMessageIsToldOnceAndTheRunSucceeds() async throws {
        var g = Sketch()
        let blocker = g.add(
            "TestExecutionBlocker", ["input": out(g.stub("BLACK")), "block": flag(true), "verbose": flag(true)])
        let list = g.list([out(blocker)])
        let p = g.preview(list)
        let outcome = await session.run(g)
        let told = outcome.events.filter { if case .executionBlocked = $0.kind { true } else { false } }
        #expect(told.count == 1)
        #expect(told.first?.name == "execution_error")
        #expect(told.first?.data["node_id"] == .string(list))
        #expect(told.first?.data["exception_message"] == .string("Execution Blocked: Blocked Execution"))
        #expect(told.first?.data["exception_type"] == .string("ExecutionBlocked"))
        #expect(told.first?.data["timestamp"] == nil)
        #expect(outcome.events.last?.name == "execution_success")
        // The second time the blocked output is in the cache.
        let second = await session.run(g)
        #expect(second.ran.isEmpty)
        #expect(!second.events.contains { if case .executionBlocked = $0.kind { true } else { false } })
        #expect(
            second.events.contains { if case .executed(let node, nil) = $0.kind { node.id == p } else { false } })
    }
}
