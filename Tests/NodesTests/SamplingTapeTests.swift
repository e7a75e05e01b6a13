import Diffusion
import NodeKit
import Sampling
import Synchronization
import Tensors
import Testing

/// A journal that lives in memory, as an interrupted run left it.
private final class MemoryJournal: WorkJournal {
    private let records: Mutex<[[UInt8]]>
    init(_ records: [[UInt8]] = []) { self.records = Mutex(records) }
    var all: [[UInt8]] { records.withLock { $0 } }
    var count: Int { all.count }
    func record(_ index: Int) -> [UInt8]? { all.indices.contains(index) ? all[index] : nil }
    func append(_ record: [UInt8]) { records.withLock { $0.append(record) } }
    func truncate(to count: Int) { records.withLock { $0.removeLast(max($0.count - count, 0)) } }
}

private struct OneJournal: UnfinishedWork {
    let kept: MemoryJournal
    func journal(_ name: String, call: Int) -> (any WorkJournal)? { kept }
}

/// A network that is not linear, so that no error goes unseen, and that counts its evaluations.
private struct CountingNetwork: DiffusionNetwork {
    let calls = CallCount()
    var family: String { "counting" }
    var latentFormat = LatentFormat(channels: 4, scale: 0.5, shift: 0.25)
    var sampling: any ModelSampling = FluxSampling()

    func callAsFunction(_ call: NetworkCall, on backend: any Backend) throws -> Tensor {
        calls.add()
        let mean = try call.entry.context.floats()[0]
        let sigma = call.sigma
        return try HostMath.map(call.x) { x in
            (x - mean - 0.6 * (x - mean) / (1 + sigma * abs(x - mean))) / max(sigma, 0.01)
        }
    }

    func adding(lora: NamedTensors, strength: Float) throws -> (network: any DiffusionNetwork, report: LoRAReport) {
        (self, LoRAReport())
    }
}

private final class CallCount: Sendable {
    private let calls = Mutex(0)
    func add() { calls.withLock { $0 += 1 } }
    var value: Int { calls.withLock { $0 } }
}

/// One run of KSampler and what it took.
private struct Run {
    var floats: [Float]
    var calls: Int
    var progress: [String]
    var resumed: [String]
    var warnings: [String]

    init(
        _ sampler: String, journal: MemoryJournal?, seed: UInt64 = 7, cfg: Double = 1, cancelAfter: Int? = nil,
        remembers: Bool = false
    ) async throws {
        let installation = try TestInstallation()
        if let cancelAfter { installation.cancel(after: cancelAfter) }
        var context = installation.context()
        context.unfinishedWork = journal.map { OneJournal(kept: $0) }
        let network = CountingNetwork()
        var model = DiffusionModel(network: network)
        if remembers { model[RemembersEvaluations.self] = true }
        func text(_ mean: Float) throws -> ConditioningValue {
            ConditioningValue([ConditioningEntry(context: try Tensor([mean], shape: [1, 1, 1]))])
        }
        let mask = try Tensor((0..<12).map { Float($0 % 3) / 2 }, shape: [1, 3, 4])
        let inputs: [String: any NodeValue] = [
            "model": model, "seed": seed, "steps": 6, "cfg": cfg, "sampler_name": sampler,
            "scheduler": "simple", "positive": try text(0.4), "negative": try text(-0.3),
            "latent_image": Latent(samples: try Tensor.full([1, 4, 3, 4], 0.1), noiseMask: mask), "denoise": 1.0,
        ]
        do {
            let latent: Latent = try await call("KSampler", inputs, context)
            floats = try latent.samples.floats()
        } catch is CancellationError where cancelAfter != nil {
            floats = []
        }
        calls = network.calls.value
        (progress, resumed, warnings) = (installation.progress, installation.resumed, installation.warnings)
    }
}

private func bits(_ floats: [Float]) -> [UInt32] { floats.map(\.bitPattern) }

@Suite struct SamplingTapeTests {
    static let samplers = Samplers.all.map(\.name)

    /// Whatever part of a run was kept, the same bits come out, and only the rest is computed.
    @Test(arguments: samplers) func everySamplerGoesOnWhereItWas(name: String) async throws {
        let plain = try await Run(name, journal: nil, cfg: 1.5)
        #expect(plain.calls > 0 && plain.floats.count == 48)
        let tape = MemoryJournal()
        let first = try await Run(name, journal: tape, cfg: 1.5)
        #expect(bits(first.floats) == bits(plain.floats))
        #expect(first.calls == plain.calls && first.progress == plain.progress && first.resumed.isEmpty)
        let records = tape.all
        // Two estimates per answer: the guidance is 1.5.
        #expect(2 * records.count == plain.calls)
        for kept in 0...records.count {
            let tape = MemoryJournal(Array(records.prefix(kept)))
            let again = try await Run(name, journal: tape, cfg: 1.5)
            #expect(bits(again.floats) == bits(plain.floats), "\(kept) of \(records.count) answers were kept")
            #expect(again.calls == plain.calls - 2 * kept)
            #expect(tape.all == records)
            #expect(again.warnings.isEmpty)
            guard let resumed = again.resumed.first else {
                // Not even one step was done.
                #expect(again.progress == plain.progress)
                continue
            }
            #expect(again.resumed.count == 1 && again.progress.first == resumed)
            #expect(Array(plain.progress.suffix(again.progress.count)) == again.progress)
        }
    }

    @Test func anInterruptedRunIsTakenUp() async throws {
        let plain = try await Run("dpmpp_2m_sde", journal: nil)
        let tape = MemoryJournal()
        let stopped = try await Run("dpmpp_2m_sde", journal: tape, cancelAfter: 3)
        #expect(stopped.progress == ["1/6", "2/6", "3/6"] && tape.count == 3)
        let again = try await Run("dpmpp_2m_sde", journal: tape)
        #expect(again.resumed == ["3/6"] && again.progress == ["3/6", "4/6", "5/6", "6/6"])
        #expect(bits(again.floats) == bits(plain.floats))
    }

    /// Answers are not the whole state of such a model.
    @Test func modelsThatRememberStartOver() async throws {
        let tape = MemoryJournal()
        let plain = try await Run("euler", journal: tape)
        let again = try await Run("euler", journal: tape, remembers: true)
        #expect(again.calls == plain.calls && again.resumed.isEmpty && again.progress == plain.progress)
    }

    /// A tape of another run is noticed at its first answer that was asked otherwise.
    @Test func aTapeThatDoesNotFitIsNotBelieved() async throws {
        let tape = MemoryJournal()
        _ = try await Run("euler", journal: tape, seed: 1)
        let other = try await Run("euler", journal: nil, seed: 2)
        let again = try await Run("euler", journal: tape, seed: 2)
        #expect(bits(again.floats) == bits(other.floats) && again.calls == other.calls)
        #expect(again.resumed.isEmpty)
        #expect(again.warnings.count == 1 && again.warnings.first?.contains("computed anew") == true)
        // Same start, other method.
        let heun = try await Run("heun", journal: nil, seed: 2)
        let changed = try await Run("heun", journal: tape, seed: 2)
        #expect(bits(changed.floats) == bits(heun.floats))
        #expect(changed.calls < heun.calls, "the first answer was to the same question")
    }

    /// Records of other sizes, empty ones and changed questions end the tape; they cannot change a result.
    @Test(arguments: [0, 1, 7, 8, 9, 199, 200, 201]) func badRecordsEndTheTape(size: Int) async throws {
        let plain = try await Run("euler", journal: nil)
        let tape = MemoryJournal()
        _ = try await Run("euler", journal: tape)
        var records = tape.all
        #expect(records[2].count == 8 + 48 * 4)
        records[2] = size == 200 ? records[3] : Array((records[2] + [0]).prefix(size))
        let again = try await Run("euler", journal: MemoryJournal(records))
        #expect(bits(again.floats) == bits(plain.floats))
        #expect(again.calls == plain.calls - 2 && again.resumed == ["2/6"])
    }
}
