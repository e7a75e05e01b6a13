import ArgumentParser
import Engine
import JSON
import Workflow

/// Turns a workflow into the form in which it is run.
struct ConvertCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Prints a workflow in API format.")

    @OptionGroup var workflow: WorkflowOptions
    @OptionGroup var libraries: NodeOptions
    @OptionGroup var verbosity: VerbosityOptions
    @Option(
        name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("Write to a file.", valueName: "file"))
    var output: String?

    func execute(_ program: Program) async throws -> ProgramStatus {
        let loaded = try LoadedWorkflow(workflow, registry: program.registry(libraries))
        program.show(loaded.notes, verbosity.level)
        let text = loaded.prompt.json.text(.pretty)
        guard let output else {
            program.console.print(text)
            return .done
        }
        do {
            try writeFile(Array((text + "\n").utf8), to: output)
        } catch {
            throw ProgramError(.runFailed, String(describing: error))
        }
        return .done
    }
}

extension Program {
    /// What was decided or guessed when a file was converted.
    func show(_ notes: [ConversionNote], _ verbosity: Verbosity) {
        guard verbosity > .quiet else { return }
        for note in ConversionNote.grouped(notes) { console.noteLine("graphrun: note: " + printable(note)) }
    }
}
