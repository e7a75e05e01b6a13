import Engine
import Synchronization
import Testing

/// test-nodes.md §6 and the sleeping rows of §5: nodes that wait do so beside each other. What is looked at is which ones
/// wait at the same time, not how long.
@Suite struct WaitingTests {
    let session: Session
    init() throws { session = try Session() }

    /// The largest number of nodes that had begun and not ended at any time.
    private func overlap(_ outcome: Session.Outcome, of ids: Set<String>) -> Int {
        var open: Set<String> = []
        var most = 0
        for event in outcome.events {
            switch event.kind {
            case .executing(let node) where ids.contains(node.id) || ids.contains(node.displayID): open.insert(node.id)
            case .nodeFinished(let node, _): open.remove(node.id)
            default: break
            }
            most = max(most, open.count)
        }
        return most
    }

    @Test func oneSleeperPassesItsValue() async throws {
        var g = Sketch()
        let b = g.stub("BLACK")
        let sleep = g.sleep(b, 0.1)
        let s = g.save(sleep)
        let outcome = await session.run(g)
        #expect(outcome.ran.isSuperset(of: [b, sleep]))
        #expect(try outcome.means(s) == [0])
        let progress = outcome.events.filter { if case .progress = $0.kind { true } else { false } }
        #expect(progress.count >= 2)
        #expect(progress.last?.data["value"] == .double(0.1) && progress.last?.data["max"] == .double(0.1))
    }

    @Test func sleepersOverlap() async throws {
        var g = Sketch()
        let b = g.stub("BLACK")
        let sleeps = [0.3, 0.4, 0.5].map { g.sleep(b, $0) }
        let previews = sleeps.map { g.preview($0) }
        let outcome = await session.run(g, parallelNodes: 1)
        #expect(outcome.ran.isSuperset(of: sleeps + previews))
        #expect(overlap(outcome, of: Set(sleeps)) == 3)
    }

    @Test func sleepersOfAnExpansionOverlap() async throws {
        var g = Sketch()
        let (b, w) = (g.stub("BLACK"), g.stub("WHITE"))
        let parallel = g.add(
            "TestParallelSleep",
            [
                "image1": out(b), "image2": out(w), "image3": out(w), "sleep1": number(0.3), "sleep2": number(0.4),
                "sleep3": number(0.5),
            ])
        let s = g.save(parallel)
        let outcome = await session.run(g, parallelNodes: 1)
        #expect(outcome.ran.contains(parallel))
        #expect(try outcome.means(s) == [170])
        #expect(overlap(outcome, of: [parallel]) >= 3)
    }

    @Test func sleepersBeforeACommonConsumer() async throws {
        var g = Sketch()
        let (s1, s2) = (g.sleep(g.stub("BLACK"), 0.2), g.sleep(g.stub("WHITE"), 0.2))
        let average = g.add("TestVariadicAverage", ["input1": out(s1), "input2": out(s2)])
        let s = g.save(average)
        let outcome = await session.run(g)
        #expect(outcome.ran.isSuperset(of: [s1, s2, average]))
        #expect(try outcome.means(s) == [127])
    }

    @Test func validatorsMayWait() async throws {
        var g = Sketch()
        let node = g.add("TestAsyncValidation", ["value": number(5), "threshold": number(10)])
        _ = g.save(node)
        #expect(await session.run(g).ran.contains(node))
        g.set(node, "threshold", number(3))
        #expect(await session.run(g).isRefused)
        var h = Sketch()
        _ = h.save(h.add("TestAsyncValidationError", ["value": number(15), "max_value": number(10)]))
        let refused = await session.run(h)
        #expect(refused.report.error?.kind == .outputsFailed)
        #expect(refused.report.nodes.first?.faults.first?.kind == .customValidation)
    }

    @Test func aSleeperThatIsNotNeededDoesNotRun() async throws {
        var g = Sketch()
        let (s1, s2) = (g.sleep(g.stub("BLACK"), 0.1), g.sleep(g.stub("WHITE"), 0.1))
        _ = g.save(g.mix(s1, s2, g.mask(0)))
        let outcome = await session.run(g)
        #expect(outcome.ran.contains(s1) && !outcome.ran.contains(s2))
    }

    @Test func lazyChecksMayWait() async throws {
        var g = Sketch()
        let node = g.add(
            "TestAsyncLazyCheck", ["input1": text("value1"), "input2": text("value2"), "condition": flag(true)])
        _ = g.save(node)
        let outcome = await session.run(g)
        #expect(outcome.ran.contains(node) && outcome.failure == nil)
    }

    @Test func aFailureWhileOthersSleepEndsTheRun() async throws {
        var g = Sketch()
        let error = g.add("TestAsyncError", ["value": out(g.stub("BLACK")), "error_after": number(0.1)])
        _ = g.save(error)
        let outcome = await session.run(g)
        #expect(outcome.failure?.nodeID == error)
        #expect(outcome.failure?.message == "Intentional async execution error for testing")
        // The next graph is not disturbed.
        var h = Sketch("other")
        let s = h.save(h.sleep(h.stub("WHITE"), 0.1))
        #expect(try await session.run(h).means(s) == [255])
    }

    @Test func whatSleepsWhenAnotherFailsIsWoken() async throws {
        var g = Sketch()
        let b = g.stub("BLACK")
        _ = g.preview(g.sleep(b, 600))
        let error = g.add("TestSyncError", ["value": out(b)])
        _ = g.preview(error)
        let outcome = await session.run(g)
        #expect(outcome.failure?.nodeID == error)
        #expect(outcome.events.last?.name == "execution_error")
    }

    @Test func timeouts() async throws {
        var g = Sketch()
        let node = g.add(
            "TestAsyncTimeout",
            ["value": out(g.stub("BLACK")), "timeout": number(0.1), "operation_time": number(2)])
        _ = g.save(node)
        #expect(await session.run(g).failure?.message == "Operation timed out after 0.1 seconds")
    }

    @Test func blockersAmongSleepers() async throws {
        var g = Sketch()
        let images = g.list([out(g.sleep(g.stub("BLACK"), 0.1)), out(g.sleep(g.stub("WHITE"), 0.1))])
        let ints = g.list([int(1), int(2)])
        let condition = g.add("TestIntConditions", ["a": out(ints), "b": int(2), "operation": text("==")])
        let p = g.preview(
            g.add("TestExecutionBlocker", ["input": out(images), "block": out(condition), "verbose": flag(false)]))
        #expect(try await session.run(g).means(p) == [0])
    }

    @Test func sleepersAreCached() async throws {
        var g = Sketch()
        let sleep = g.sleep(g.stub("BLACK"), 0.1)
        _ = g.save(sleep)
        #expect(await session.run(g).ran.contains(sleep))
        #expect(await session.run(g).ran.isEmpty)
    }

    @Test func anExpansionOfSleepers() async throws {
        var g = Sketch()
        let node = g.add(
            "TestDynamicAsyncGeneration",
            [
                "image1": out(g.stub("BLACK")), "image2": out(g.stub("WHITE")), "num_async_nodes": int(5),
                "sleep_duration": number(0.4),
            ])
        let s = g.save(node)
        let outcome = await session.run(g, parallelNodes: 1)
        #expect(outcome.ran.contains(node))
        #expect(overlap(outcome, of: [node]) >= 5)
        #expect(try outcome.means(s) == [102])
    }

    @Test func resourcesAreGivenBack() async throws {
        var g = Sketch()
        let b = g.stub("BLACK")
        for id in 0..<5 {
            _ = g.preview(
                g.add(
                    "TestAsyncResourceUser",
                    ["value": out(b), "resource_id": text("resource_\(id)"), "duration": number(0.1)]))
        }
        let first = await session.run(g)
        #expect(first.failure == nil && first.ran.count == 11)
        #expect(await session.run(g).ran.isEmpty)
    }

    @Test func workAndWaitingMixed() async throws {
        var g = Sketch()
        let s1 = g.sleep(g.mix(g.stub("BLACK"), g.stub("WHITE"), g.mask(0.5)), 0.1)
        let product = g.add("TestCustomValidation1", ["input1": out(s1), "input2": number(0.5)])
        let s2 = g.sleep(product, 0.1)
        let s = g.save(s2)
        let outcome = await session.run(g)
        #expect(outcome.ran.isSuperset(of: [s1, product, s2]))
        #expect(try outcome.means(s) == [63])
    }

    @Test func cancellationWakesSleepers() async throws {
        var g = Sketch()
        _ = g.preview(g.sleep(g.stub("BLACK", size: 32), 600))
        let validated = try #require(await session.engine.validate(g.prompt).validated)
        let control = RunControl()
        let last = Mutex("")
        let result = await session.engine.run(validated, options: RunOptions(control: control)) { event in
            if case .progress = event.kind { control.cancel() }
            last.withLock { $0 = event.name }
        }
        guard case .interrupted = result.status else { return #expect(Bool(false), "\(result.status)") }
        #expect(last.withLock { $0 } == "execution_interrupted")
    }
}
