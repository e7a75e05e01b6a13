import Foundation
import JSON
import TestSupport
import Testing

/// Kills the program in the middle of sampling, and expects the bytes of a run that nobody disturbed.
@Suite(.serialized, .enabled(if: BuiltProgram.path != nil, "needs the built program beside the tests"))
struct KillTests {
    private let place: Workplace
    init() throws { place = try Workplace() }

    private static let sampler = "9"
    private static let decoder = "10"
    private static let steps = 8

    private func arguments(_ output: String, cache: String?, sampler: String) -> [String] {
        let workflow = Vocabularies.packageRoot.appendingPathComponent("Workflows/flux-turbo-text-to-image.json").path
        let folder = "\(place.path)/\(output)"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return [
            workflow, "--models", BuiltProgram.models, "--output", folder, "--json", "--save-outputs",
            folder + "/all.safetensors", "--set", "Sampler.sampler_name=\(sampler)", "--set",
            "Sampler.steps=\(Self.steps)", "--set", "Sampler.cfg=1.5", "--threads", "1",
        ] + (cache.map { ["--cache", "\(place.path)/\($0)"] } ?? ["--no-cache"])
    }

    /// The files that a run left, by name.
    private func files(_ output: String) throws -> [String: Data] {
        let folder = URL(fileURLWithPath: "\(place.path)/\(output)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return try Dictionary(
            uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: folder.appendingPathComponent($0))) })
    }

    private func expectSame(_ output: String, _ reference: String) throws {
        let (found, expected) = (try files(output), try files(reference))
        #expect(expected.keys.sorted() == ["all.safetensors", "flux-turbo_00001_.png"])
        #expect(found.keys.sorted() == expected.keys.sorted())
        for (name, bytes) in expected { #expect(found[name] == bytes, "\(name) differs") }
    }

    /// Reads events until the sampler has reported `step`, or the program has ended.
    private func follow(_ child: Child, toStep step: Int) -> Bool {
        while let event = child.next() {
            let data = event["data"]
            if event["type"] == .string("progress"), data?["node"] == .string(Self.sampler),
                let value = data?["value"]?.intValue, value >= step
            {
                return true
            }
        }
        return false
    }

    private func journals(_ cache: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(place.path)/\(cache)/resume")) ?? [])
            .filter { $0.hasSuffix(".journal") }
    }

    @Test(arguments: ["euler", "dpmpp_2m_sde", "dpm_adaptive", "uni_pc", "euler_cfg_pp", "sa_solver_pece"])
    func killedRunsEndWithTheSameBytes(sampler: String) throws {
        #expect(try Child(arguments("plain", cache: nil, sampler: sampler)).wait() == 0)
        var done = 0
        for _ in 0..<3 {
            let child = try Child(arguments("killed", cache: "cache", sampler: sampler))
            let target = min(done + Int.random(in: 1...2), Self.steps - 1)
            #expect(follow(child, toStep: target))
            // Anywhere in the step after it.
            usleep(.random(in: 0...60_000))
            child.signal(SIGKILL)
            #expect(child.wait() == -SIGKILL, "killed after step \(target)")
            if done > 0 {
                let resumed = try #require(child.events("resumed").first, "killed after step \(done) before")
                #expect(try #require(resumed["value"]?.intValue) >= done)
                #expect(child.events("progress").first?["value"] == resumed["value"])
            }
            done = child.events("progress").compactMap { $0["value"]?.intValue }.max() ?? done
            #expect(journals("cache").count == 1)
        }
        let last = try Child(arguments("killed", cache: "cache", sampler: sampler))
        #expect(last.wait() == 0)
        #expect(try #require(last.events("resumed").first?["value"]?.intValue) >= done)
        #expect(last.events("warning").isEmpty)
        #expect(journals("cache").isEmpty)
        try expectSame("killed", "plain")
    }

    /// Two processes with one workflow and one cache: both end well, whoever has the journal.
    @Test func twoProcessesAtOnce() throws {
        #expect(try Child(arguments("plain", cache: nil, sampler: "heun")).wait() == 0)
        let first = try Child(arguments("first", cache: "cache", sampler: "heun"))
        let second = try Child(arguments("second", cache: "cache", sampler: "heun"))
        #expect(follow(first, toStep: 3))
        first.signal(SIGKILL)
        first.wait()
        #expect(second.wait() == 0)
        #expect(second.events("warning").isEmpty)
        try expectSame("second", "plain")
        #expect(try Child(arguments("first", cache: "cache", sampler: "heun")).wait() == 0)
        try expectSame("first", "plain")
    }

    /// Ctrl-C and a kill while the picture is decoded lose no step either.
    @Test func interruptedRunsAndLateKillsKeepTheirSteps() throws {
        #expect(try Child(arguments("plain", cache: nil, sampler: "dpmpp_2m")).wait() == 0)
        let interrupted = try Child(arguments("killed", cache: "cache", sampler: "dpmpp_2m"))
        #expect(follow(interrupted, toStep: 3))
        interrupted.signal(SIGINT)
        #expect(interrupted.wait() == 130)

        let late = try Child(arguments("killed", cache: "cache", sampler: "dpmpp_2m"))
        while let event = late.next() {
            if event["type"] == .string("executing"), event["data"]?["node"] == .string(Self.decoder) { break }
        }
        late.signal(SIGKILL)
        #expect(late.wait() == -SIGKILL)
        #expect(try #require(late.events("resumed").first?["value"]?.intValue) >= 3)

        let last = try Child(arguments("killed", cache: "cache", sampler: "dpmpp_2m"))
        #expect(last.wait() == 0)
        let steps = last.events("progress").filter { $0["node"] == .string(Self.sampler) }
        #expect(steps.allSatisfy { $0["value"]?.intValue == Self.steps }, "no step is computed again")
        try expectSame("killed", "plain")
    }

    /// Journals with any damage: the run ends well with the same bytes.
    @Test func damagedJournalsDoNoHarm() throws {
        #expect(try Child(arguments("plain", cache: nil, sampler: "euler")).wait() == 0)
        for damage in 0..<3 {
            let child = try Child(arguments("damaged", cache: "cache", sampler: "euler"))
            #expect(follow(child, toStep: 4))
            child.signal(SIGKILL)
            child.wait()
            let name = try #require(journals("cache").first)
            let url = URL(fileURLWithPath: "\(place.path)/cache/resume/\(name)")
            var bytes = try Data(contentsOf: url)
            switch damage {
            case 0: bytes[bytes.count / 2] ^= 0x40
            case 1: bytes = Data((0..<bytes.count).map { _ in UInt8.random(in: 0...255) })
            default: bytes = bytes.prefix(bytes.count * 2 / 3)
            }
            try bytes.write(to: url)
            try? FileManager.default.removeItem(atPath: "\(place.path)/damaged")
            #expect(try Child(arguments("damaged", cache: "cache", sampler: "euler")).wait() == 0)
            try expectSame("damaged", "plain")
        }
    }
}
