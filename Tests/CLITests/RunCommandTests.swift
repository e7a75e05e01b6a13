import Foundation
import GraphRun
import JSON
import Testing

@Suite struct RunCommandTests {
    @Test func aGoodWorkflowIsDoneAndNamesItsFiles() async throws {
        let place = try Workplace()
        #expect(try await place.runWorkflow(Sample.good) == .done)
        #expect(place.console.output == "\(place.path)/output/a.txt\n")
        #expect(place.console.notes.isEmpty)
        let saved = try place.read("output/a.txt")
        #expect(saved.hasPrefix("3 {\"1\":"))
        #expect(saved.contains("\"title\":\"My number\""), "the prompt reaches the nodes")
    }

    @Test func theFrontEndFormatRunsAndReachesThePictures() async throws {
        let place = try Workplace()
        #expect(try await place.runWorkflow(Sample.frontEnd) == .done)
        let saved = try place.read("output/ui.txt")
        #expect(saved.hasPrefix("42 {\"1\":"))
        #expect(saved.contains("\"nodes\":[{\"id\":1"))
    }

    @Test func inputsAndSeedsCanBeSet() async throws {
        let place = try Workplace()
        #expect(try await place.runWorkflow(Sample.good, "--set", "My number.seed=12", "--set", "2.name=b") == .done)
        #expect(try place.read("output/b.txt").hasPrefix("12 "))
        #expect(try await place.runWorkflow(Sample.good, "--seed", "99") == .done)
        #expect(try place.read("output/a.txt").hasPrefix("99 "))
    }

    @Test func aFailingNodeIsStatusOneAndNamed() async throws {
        let place = try Workplace()
        #expect(try await place.runWorkflow(Sample.failing) == .runFailed)
        #expect(place.console.notes == "graphrun: error: node 2 (Bad one): this node always fails\n")
        #expect(place.console.output.isEmpty)
    }

    @Test func anInvalidWorkflowIsStatusThreeAndExplained() async throws {
        let place = try Workplace()
        #expect(try await place.runWorkflow(Sample.invalid) == .invalidWorkflow)
        let text = place.console.notes
        #expect(text.contains("node 1 \"My number\" (Number), input seed: the value is too big"))
        #expect(text.contains("found:    3000"))
        #expect(text.contains("expected: 0 … 1000"))
        #expect(!FileManager.default.fileExists(atPath: place.path + "/output"))
    }

    @Test func missingFilesSayWhereTheyBelong() async throws {
        let place = try Workplace()
        try FileManager.default.createDirectory(
            atPath: place.path + "/models/loras", withIntermediateDirectories: true)
        try place.file("models/loras/turbo.safetensors", "x")
        let workflow = """
            {"1": {"class_type": "Load", "inputs": {"name": "trubo.safetensors"}},
             "2": {"class_type": "Save", "inputs": {"value": ["1", 0], "name": "a"}}}
            """
        #expect(try await place.runWorkflow(workflow) == .invalidWorkflow)
        #expect(place.console.notes.contains("\(place.path)/models/loras"))
        #expect(place.console.notes.contains("did you mean \"turbo.safetensors\"?"))
    }

    @Test func aPartThatCannotRunIsAWarning() async throws {
        let place = try Workplace()
        #expect(try await place.runWorkflow(Sample.partlyInvalid) == .done)
        #expect(place.console.notes.contains("warning: a part of the workflow cannot run"))
        #expect(place.console.notes.contains("node 3 (Save), input value: a required input is missing"))
        #expect(place.console.outputLines == ["\(place.path)/output/a.txt"])
    }

    @Test func quietSaysNothing() async throws {
        let place = try Workplace()
        #expect(try await place.runWorkflow(Sample.partlyInvalid, "-q") == .done)
        #expect(place.console.output.isEmpty)
        #expect(place.console.notes.isEmpty)
    }

    @Test func verboseNamesEveryNode() async throws {
        let place = try Workplace()
        #expect(try await place.runWorkflow(Sample.good, "-v") == .done)
        for part in ["node 1 (My number)\n", "node 1 (My number) took ", "node 2 (Save)\n", "done in "] {
            #expect(place.console.notes.contains(part))
        }
    }

    @Test func jsonIsOneEventALine() async throws {
        let place = try Workplace()
        #expect(try await place.runWorkflow(Sample.good, "--json") == .done)
        let events = try place.console.outputLines.map { try JSON(parsing: $0) }
        #expect(
            events.compactMap { $0["type"]?.stringValue } == [
                "execution_start", "execution_cached", "executing", "node_finished", "executing", "executed",
                "node_finished", "execution_success",
            ])
        #expect(events.allSatisfy { $0["data"]?["prompt_id"] != nil })
        #expect(events[5]["data"]?["output"]?["images"]?[0]?["filename"] == .string("a.txt"))
        #expect(place.console.notes.isEmpty)

        let failing = try Workplace()
        #expect(try await failing.runWorkflow(Sample.failing, "--json") == .runFailed)
        let last = try JSON(parsing: failing.console.outputLines.last ?? "")
        #expect(last["type"] == .string("execution_error"))
        #expect(last["data"]?["exception_message"] == .string("this node always fails"))

        let invalid = try Workplace()
        #expect(try await invalid.runWorkflow(Sample.invalid, "--json") == .invalidWorkflow)
        let report = try JSON(parsing: invalid.console.outputLines.first ?? "")
        #expect(report["type"] == .string("validation"))
        #expect(
            report["data"]?["node_errors"]?["1"]?["errors"]?[0]?["type"] == .string("value_bigger_than_max"))
    }

    @Test func outputsOfEveryNodeCanBeSaved() async throws {
        let place = try Workplace()
        let file = place.path + "/out.safetensors"
        #expect(try await place.runWorkflow(Sample.vectors, "--save-outputs", file) == .done)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
        let header = try JSON(parsing: bytes[8..<8 + length])
        #expect(header.objectValue?.keys.sorted() == ["2.0", "2.1[0]", "2.1[1]"])
        #expect(header["2.0"]?["shape"] == .array([.int(2)]))
    }

    @Test func outputsThatCannotBeSavedAreStatusOne() async throws {
        let place = try Workplace()
        #expect(
            try await place.runWorkflow(Sample.vectors, "--save-outputs", place.path + "/nowhere/x.safetensors")
                == .runFailed)
        #expect(place.console.notes.contains("No such file or directory"))
    }

    @Test func aFailedRunSavesNoOutputs() async throws {
        let place = try Workplace()
        let file = place.path + "/out.safetensors"
        #expect(try await place.runWorkflow(Sample.failing, "--save-outputs", file) == .runFailed)
        #expect(!FileManager.default.fileExists(atPath: file))
    }
}

@Suite struct ProgressTests {
    @Test func withoutATerminalLinesAreWritten() async throws {
        let place = try Workplace()
        #expect(try await place.runWorkflow(Sample.steps(3)) == .done)
        let lines = place.console.notes.split(separator: "\n").filter { $0.hasPrefix("node 1") }
        #expect(lines.first == "node 1 (Steps): step 1/3")
        #expect(lines.last?.hasPrefix("node 1 (Steps): step 3/3, ") == true)
        #expect(!place.console.notes.contains("\u{1B}"))
    }

    @Test func onATerminalABarIsRedrawnAndRemoved() async throws {
        let place = try Workplace(terminalWidth: 60)
        #expect(try await place.runWorkflow(Sample.steps(4)) == .done)
        #expect(place.console.notes.contains("\r\u{1B}[K[███"))
        #expect(place.console.notes.contains("step 2/4"))
        #expect(place.console.notes.hasSuffix("\r\u{1B}[K"))
        for piece in place.console.notes.components(separatedBy: "\r\u{1B}[K") {
            #expect(piece.split(separator: "\n").allSatisfy { $0.hasPrefix("graphrun:") || $0.count < 60 }, "\(piece)")
        }
    }

    @Test func narrowTerminalsAreNoTrap() async throws {
        for width in [1, 2, 5, 20] {
            let place = try Workplace(terminalWidth: width)
            #expect(try await place.runWorkflow(Sample.steps(3)) == .done)
        }
    }
}

@Suite struct CancellationTests {
    /// Interrupts the program after a while, and returns what it said.
    private func cancelled(_ stop: (TestInterrupts) -> Void) async throws -> (ProgramStatus, Workplace) {
        let place = try Workplace()
        async let status = place.runWorkflow(Sample.steps(1_000_000))
        while !place.console.notes.contains("temporary folder") { try await Task.sleep(for: .milliseconds(5)) }
        stop(place.interrupts)
        return (try await status, place)
    }

    @Test func anInterruptEndsTheRunWithStatus130AndRemovesPreviews() async throws {
        let (status, place) = try await cancelled { $0.interrupt() }
        #expect(status == .cancelled)
        #expect(place.console.notes.hasSuffix("graphrun: cancelled at node 1 (Steps)\n"))
        let line = try #require(place.console.notes.split(separator: "\n").first { $0.contains("temporary folder: ") })
        let folder = String(try #require(line.components(separatedBy: "temporary folder: ").last))
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test func aSecondInterruptCleansUpAtOnce() async throws {
        let (status, place) = try await cancelled { interrupts in
            interrupts.abort()
            interrupts.interrupt()
        }
        #expect(status == .cancelled)
        let line = try #require(place.console.notes.split(separator: "\n").first { $0.contains("temporary folder: ") })
        let folder = String(try #require(line.components(separatedBy: "temporary folder: ").last))
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test func aSecondSignalEndsTheProcess() async {
        await #expect(processExitsWith: .exitCode(130)) {
            SignalInterrupts().listen {
                kill(getpid(), SIGINT)
            } abort: {
            }
            kill(getpid(), SIGINT)
            try await Task.sleep(for: .seconds(20))
        }
    }

    @Test func aTruncatedModelFileIsExplained() async {
        let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
            SignalInterrupts().listen {
            } abort: {
            }
            let path = NSTemporaryDirectory() + "/graphrun-bus-\(getpid())"
            try Data(count: 8192).write(to: URL(fileURLWithPath: path))
            let file = open(path, O_RDWR)
            let memory = mmap(nil, 8192, PROT_READ, MAP_SHARED, file, 0)
            ftruncate(file, 0)
            unlink(path)
            print(memory?.load(fromByteOffset: 4096, as: UInt8.self) ?? 0)
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("a model file was changed or truncated while it was in use"))
    }
}

@Suite struct TraceOptionTests {
    @Test func aTraceIsWritten() async throws {
        let place = try Workplace()
        let file = place.path + "/trace.json"
        #expect(try await place.runWorkflow(Sample.good, "--trace", file) == .done)
        let events = try #require(try JSON(parsing: place.read("trace.json")).arrayValue)
        #expect(events.contains { $0["name"] == .string("My number") && $0["ph"] == .string("B") })
        #expect(events.contains { $0["name"] == .string("execution_success") })
        #expect(try await place.runWorkflow(Sample.good, "--trace", file) == .done, "a trace may be written again")
    }

    /// The error comes before anything runs.
    @Test func unusableFilesAreStatusTwo() async throws {
        let place = try Workplace()
        try place.file("models.safetensors", "weights")
        for file in ["", "/", place.path, place.path + "/nowhere/t", place.path + "/models.safetensors", "/dev/null"] {
            #expect(try await place.runWorkflow(Sample.good, "--trace", file) == .usage, "\(file)")
            #expect(place.console.notes.contains("--trace: "))
        }
        #expect(place.console.output.isEmpty)
        #expect(try place.read("models.safetensors") == "weights")
    }
}

@Suite struct CacheFolderOptionTests {
    @Test(arguments: [
        ["--checkpoint-seconds", "-1"], ["--checkpoint-seconds", "nan"], ["--checkpoint-seconds", "inf"],
        ["--checkpoint-seconds", "1e300"], ["--cache", "x", "--no-cache"], ["--cache", ""],
    ]) func wrongValuesAreStatusTwo(arguments: [String]) async throws {
        let place = try Workplace()
        let workflow = try place.file("w.json", Sample.good)
        let program = Program(composition: testComposition, console: place.console, interrupts: place.interrupts)
        #expect(await program.run([workflow] + arguments) == .usage)
    }
}
