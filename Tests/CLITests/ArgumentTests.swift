import Foundation
import GraphRun
import JSON
import Testing

@Suite struct ArgumentTests {
    @Test func theVersionGoesToStandardOutput() async throws {
        let place = try Workplace()
        #expect(await place.run("--version") == .done)
        #expect(place.console.output == "graphrun \(ProgramVersion.text)\n")
        #expect(place.console.notes.isEmpty)
    }

    @Test(arguments: [["--help"], ["help"], ["help", "run"], ["run", "--help"], ["validate", "-h"]])
    func helpIsNoError(_ arguments: [String]) async throws {
        let console = RecordingConsole()
        let program = Program(composition: testComposition, console: console, interrupts: TestInterrupts())
        #expect(await program.run(arguments) == .done)
        #expect(console.output.contains("USAGE:"))
    }

    @Test(arguments: [
        [], ["run"], ["--bogus"], ["a.json", "--bogus"], ["a.json", "b.json"], ["a.json", "--precision", "fp64"],
        ["a.json", "--threads", "0"], ["a.json", "--threads", "many"], ["a.json", "--seed", "-1"],
        ["a.json", "--seed", "18446744073709551616"], ["a.json", "-v", "-q"], ["nodes", "a", "b"], ["convert"],
        ["inspect"], ["demo-models"], ["/nowhere/at/all.json"], ["validate", "/nowhere/at/all.json"], ["/"],
    ])
    func wrongArgumentsAreStatusTwo(_ arguments: [String]) async {
        let console = RecordingConsole()
        let program = Program(composition: testComposition, console: console, interrupts: TestInterrupts())
        #expect(await program.run(arguments) == .usage)
        #expect(!console.notes.isEmpty)
        #expect(console.output.isEmpty)
    }

    @Test(arguments: [
        "", "[]", "[1, 2]", "{}", "null", "3", "\"text\"", "not json", "{\"1\": 5}", "{\"1\": {\"inputs\": {}}}",
        "{\"nodes\": 3, \"links\": []}", String(repeating: "[", count: 1_000_000),
        String(repeating: "{\"a\":", count: 100_000), "\u{0}\u{1}\u{2}",
    ])
    func whatIsNoWorkflowIsStatusThree(_ content: String) async throws {
        let place = try Workplace()
        #expect(try await place.runWorkflow(content) == .invalidWorkflow)
        #expect(place.console.notes.hasPrefix("graphrun: error: "), "\(place.console.notes)")
        #expect(!FileManager.default.fileExists(atPath: place.path + "/output"))
    }

    @Test func aFaultyPathsFileIsStatusTwo() async throws {
        let place = try Workplace()
        let extra = try place.file("extra.yaml", "a:\n\tb: c")
        #expect(try await place.runWorkflow(Sample.good, "--extra-model-paths-config", extra) == .usage)
        #expect(place.console.notes.contains("extra.yaml line 2"))
    }

    @Test func changesThatDoNotFitAreStatusTwo() async throws {
        for assignment in ["nonsense", "9.seed=1", "1.sed=1", "My nubmer.seed=1"] {
            let place = try Workplace()
            #expect(try await place.runWorkflow(Sample.good, "--set", assignment) == .usage)
            #expect(place.console.notes.hasPrefix("graphrun: error: --set: "))
        }
        let place = try Workplace()
        #expect(try await place.runWorkflow(Sample.steps(1), "--seed", "5") == .usage)
        #expect(place.console.notes.contains("no input called seed"))
    }
}
