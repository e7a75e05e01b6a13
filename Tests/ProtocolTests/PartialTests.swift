import Engine
import Testing

/// Runs of some of a prompt's outputs (test-nodes.md §5).
@Suite struct PartialTests {
    let session: Session
    init() throws { session = try Session() }

    @Test func onlyTheTargetsRun() async throws {
        var g = Sketch()
        let (b, w) = (g.stub("BLACK"), g.stub("WHITE"))
        let (s1, s2) = (g.save(b), g.save(w))
        let outcome = await session.run(g, targets: [s1])
        #expect(outcome.ranOrCached(b, s1))
        #expect(outcome.ran.isDisjoint(with: [w, s2]))
        #expect(try outcome.means(s1).count == 1)
        #expect(outcome.result.outputs[s2] == nil)
    }

    @Test func severalTargets() async throws {
        var g = Sketch()
        let (b, w, n) = (g.stub("BLACK"), g.stub("WHITE"), g.stub("NOISE"))
        let (s1, s2, s3) = (g.save(b), g.save(w), g.save(n))
        let outcome = await session.run(g, targets: [s1, s3])
        #expect(outcome.ranOrCached(b, n, s1, s3))
        #expect(outcome.ran.isDisjoint(with: [w, s2]))
    }

    @Test func anOutputNodeMayBeAMereSource() async throws {
        var g = Sketch()
        let b = g.stub("BLACK")
        let o = g.add("TestOutputNodeWithSocketOutput", ["image": out(b), "value": number(2)])
        let mix = g.mix(o, b, g.mask(0.5))
        let s = g.save(mix)
        let outcome = await session.run(g, targets: [s])
        #expect(outcome.ranOrCached(b, o, mix, s))
    }

    @Test func lazyBranchesOfOtherTargetsStayIdle() async throws {
        var g = Sketch()
        let (b, w, n) = (g.stub("BLACK"), g.stub("WHITE"), g.stub("NOISE"))
        let (none, half) = (g.mask(0), g.mask(0.5))
        let (mix1, mix2) = (g.mix(b, w, none), g.mix(w, n, half))
        let (s1, s2) = (g.save(mix1), g.save(mix2))
        let outcome = await session.run(g, targets: [s1])
        #expect(outcome.ranOrCached(b, none, mix1, s1))
        #expect(outcome.ran.isDisjoint(with: [w, n, half, mix2, s2]))
    }

    @Test func chainsOfOutputNodes() async throws {
        var g = Sketch()
        let (b, w) = (g.stub("BLACK"), g.stub("WHITE"))
        let o1 = g.add("TestOutputNodeWithSocketOutput", ["image": out(b), "value": number(1.5)])
        let o2 = g.add("TestOutputNodeWithSocketOutput", ["image": out(o1), "value": number(2)])
        let (s1, s2, s3) = (g.save(o1), g.save(o2), g.save(w))
        let outcome = await session.run(g, targets: [s2])
        #expect(outcome.ranOrCached(b, o1, o2, s2))
        #expect(outcome.ran.isDisjoint(with: [w, s1, s3]))
    }

    @Test func noTargetsAreNoOutputs() async throws {
        var g = Sketch()
        _ = g.save(g.stub("BLACK"))
        let outcome = await session.run(g, targets: [])
        #expect(outcome.report.error?.kind == .promptHasNoOutputs)
    }

    @Test func repeatedRunsKeepTheirResults() async throws {
        var g = Sketch()
        let s = g.add("SaveImage", ["images": out(g.stub("BLACK", size: 32)), "filename_prefix": text("fixed")])
        let first = await session.run(g)
        for _ in 0..<4 {
            let next = await session.run(g)
            #expect(next.result.outputs[s] == first.result.outputs[s])
            #expect(next.events.last?.name == "execution_success")
        }
    }
}
