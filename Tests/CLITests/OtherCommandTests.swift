import Foundation
import GraphRun
import JSON
import Testing

@Suite struct ValidateCommandTests {
    private func validate(_ workflow: String, _ arguments: String...) async throws -> (ProgramStatus, RecordingConsole)
    {
        let place = try Workplace()
        let file = try place.file("w.json", workflow)
        let program = Program(composition: testComposition, console: place.console, interrupts: place.interrupts)
        return (await program.run(["validate", file] + place.folderArguments + arguments), place.console)
    }

    @Test func aValidWorkflow() async throws {
        let (status, console) = try await validate(Sample.good)
        #expect(status == .done)
        #expect(console.output == "valid: 2 nodes, 1 output\n")
        #expect(console.notes.isEmpty)
    }

    @Test func anInvalidOne() async throws {
        let (status, console) = try await validate(Sample.invalid)
        #expect(status == .invalidWorkflow)
        #expect(console.output == "invalid: 1 fault in 2 nodes\n")
        #expect(console.notes.contains("the value is too big"))
        #expect(console.notes.contains("so these outputs cannot run: 2"))
    }

    @Test func aPartlyValidOne() async throws {
        let (status, console) = try await validate(Sample.partlyInvalid)
        #expect(status == .done)
        #expect(console.output == "partly valid: 1 output can run; 1 fault elsewhere\n")
    }

    @Test func jsonIsTheServersAnswer() async throws {
        let (status, console) = try await validate(Sample.invalid, "--json")
        #expect(status == .invalidWorkflow)
        let report = try JSON(parsing: console.output)
        #expect(report["error"]?["type"] == .string("prompt_outputs_failed_validation"))
        #expect(report["node_errors"]?["1"]?["class_type"] == .string("Number"))
    }

    @Test func controlCharactersDoNotReachTheTerminal() async throws {
        let (_, console) = try await validate("{\"a\\u001b[2J\": {\"class_type\": \"X\\u0007\", \"inputs\": {}}}")
        #expect(!console.notes.contains("\u{1B}") && !console.notes.contains("\u{7}"))
    }
}

@Suite struct ConvertCommandTests {
    @Test func theFrontEndFormatBecomesAPrompt() async throws {
        let place = try Workplace()
        let file = try place.file("ui.json", Sample.frontEnd)
        #expect(await place.run("convert", file) == .done)
        let prompt = try JSON(parsing: place.console.output)
        #expect(prompt["1"]?["class_type"] == .string("Number"))
        #expect(prompt["1"]?["inputs"] == .object(["seed": .int(42)]))
        #expect(prompt["2"]?["inputs"]?["value"] == .array([.string("1"), .int(0)]))
    }

    @Test func theResultCanGoToAFile() async throws {
        let place = try Workplace()
        let file = try place.file("ui.json", Sample.frontEnd)
        #expect(await place.run("convert", file, "-o", place.path + "/api.json") == .done)
        #expect(place.console.output.isEmpty)
        #expect(try JSON(parsing: place.read("api.json"))["2"]?["class_type"] == .string("Save"))
        #expect(await place.run("convert", file, "-o", place.path + "/no/api.json") == .runFailed)
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path).sorted() == ["api.json", "ui.json"])
    }
}

@Suite struct NodesCommandTests {
    @Test func allNodesAreListed() async throws {
        let place = try Workplace()
        #expect(await place.run("nodes") == .done)
        #expect(
            place.console.outputLines
                == ["Fail", "Load", "Number", "Save", "Steps", "Vector"].map { "\($0)\ttest\ttest" })
    }

    @Test func schemasArePrintedAsObjectInfo() async throws {
        let place = try Workplace()
        #expect(await place.run("nodes", "--json") == .done)
        let info = try JSON(parsing: place.console.output)
        #expect(info.objectValue?.keys == ["Number", "Vector", "Load", "Save", "Fail", "Steps"])
        #expect(info["Number"]?["display_name"] == .string("A number"))
        #expect(info["Number"]?["input"]?["required"]?["seed"]?[0] == .string("INT"))
        #expect(info["Number"]?["input"]?["required"]?["seed"]?[1]?["max"] == .int(1000))
        #expect(info["Vector"]?["output_is_list"] == .array([.bool(false), .bool(true)]))
        #expect(info["Save"]?["output_node"] == .bool(true))
    }

    @Test func oneNodeIsDescribed() async throws {
        let place = try Workplace()
        #expect(await place.run("nodes", "Number") == .done)
        #expect(place.console.output.contains("seed: INT, default 7, at least 0, at most 1000"))
        #expect(place.console.output.contains("0 value: INT"))
        #expect(await place.run("nodes", "Number", "--json") == .done)
    }

    @Test func anUnknownNodeGetsTheNearestName() async throws {
        let place = try Workplace()
        #expect(await place.run("nodes", "Nmuber") == .usage)
        #expect(place.console.notes.contains("did you mean \"Number\"?"))
        #expect(await place.run("nodes", "Fast Groups Muter (rgthree)") == .usage)
        #expect(place.console.notes.contains("rgthree/rgthree-comfy"))
    }
}

/// The built program, where the tests' bundle lies.
private let executable: String? = {
    let folder = (CommandLine.arguments[0] as NSString).deletingLastPathComponent
    let path = folder + "/graphrun"
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
}()

@Suite(.enabled(if: executable != nil, "the program is not built beside the tests")) struct ExecutableTests {
    private func run(_ arguments: String...) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable ?? "")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test func exitStatuses() throws {
        let place = try Workplace()
        #expect(try run("--version").status == 0)
        #expect(try run("--version").output == "graphrun \(ProgramVersion.text)\n")
        #expect(try run("--bogus").status == 2)
        #expect(try run("/nowhere.json").status == 2)
        #expect(try run(place.file("a.json", "[]")).status == 3)
        #expect(try run("validate", place.file("b.json", Sample.good)).status == 3)
        #expect(try run("nodes", "--json").status == 0)
    }

    @Test func theVersionComesQuickly() throws {
        _ = try run("--version")
        let times = try (0..<5).map { _ in
            let start = Date()
            _ = try run("--version")
            return Date().timeIntervalSince(start)
        }
        print("--version: \((times.min() ?? 0) * 1000) ms")
        // The goal is 50 ms; other work may slow the machine.
        #expect((times.min() ?? 1) < 0.25)
    }
}
