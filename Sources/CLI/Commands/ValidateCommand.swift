import ArgumentParser
import Engine
import JSON
import OrderedCollections
import Workflow

/// Checks a workflow without running it.
struct ValidateCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Checks a workflow: node types, links, values, files. Loads no model.",
        discussion: "The exit status is 3 when no output of the workflow could run.")

    @OptionGroup var workflow: WorkflowOptions
    @OptionGroup var folders: FolderOptions
    @OptionGroup var libraries: NodeOptions
    @OptionGroup var verbosity: VerbosityOptions
    @Flag(help: "Print the findings as JSON, as ComfyUI's server answers them.") var json = false

    func execute(_ program: Program) async throws -> ProgramStatus {
        let registry = program.registry(libraries)
        let loaded = try LoadedWorkflow(workflow, registry: registry)
        let report = await loaded.validate(registry: registry, files: try folders.folders())
        if json {
            program.console.print(json(report, loaded).text(.pretty))
        } else {
            program.show(loaded.notes, verbosity.level)
            for line in FaultText.lines(report) { program.console.noteLine(line) }
            for line in MissingText.lines(report.missing) { program.console.noteLine(line) }
            if verbosity.level > .quiet { program.console.print(summary(report, nodes: loaded.prompt.nodes.count)) }
        }
        return report.validated == nil ? .invalidWorkflow : .done
    }

    /// What the server answers, and what it does not tell: what is missing, and what was guessed.
    private func json(_ report: ValidationReport, _ loaded: LoadedWorkflow) -> JSON {
        var members = report.json.objectValue ?? JSONObject()
        members["missing"] = report.missing.json
        members["notes"] = .array(loaded.notes.map { .string($0.description) })
        return .object(members)
    }

    private func summary(_ report: ValidationReport, nodes: Int) -> String {
        let faults = report.nodes.reduce(0) { $0 + $1.faults.count }
        guard let validated = report.validated else {
            return "invalid: \(faults == 0 ? "nothing to run" : counted(faults, "fault")) in \(counted(nodes, "node"))"
        }
        let outputs = counted(validated.outputs.count, "output")
        return faults == 0
            ? "valid: \(counted(nodes, "node")), \(outputs)"
            : "partly valid: \(outputs) can run; \(counted(faults, "fault")) elsewhere"
    }
}

/// "1 node", "3 nodes".
func counted(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
