import Engine
import JSON
import NodeKit
import Workflow

/// A workflow file ready for validation.
struct LoadedWorkflow {
    var prompt: Prompt
    /// What pictures carry beside the prompt.
    var extraPNGInfo: JSONObject
    var notes: [ConversionNote]
    var modelFiles: ModelFileHints

    /// Reads a file, converts it if need be and applies the changes of the command line.
    ///
    /// - Throws: ``ProgramError``: status 2 for files that cannot be read and changes that do not fit, else 3.
    init(_ options: WorkflowOptions, registry: NodeRegistry) throws {
        let schemas: SchemaSource = { registry[$0]?.schema }
        do throws(WorkflowError) {
            let file = try WorkflowFile.load(path: options.path)
            let conversion = try file.conversion(schemas: schemas)
            prompt = conversion.prompt
            notes = conversion.notes
            modelFiles = conversion.modelFiles
            extraPNGInfo = conversion.workflow.map { ["workflow": $0] } ?? JSONObject()
        } catch {
            throw ProgramError(error.code == .unreadable ? .usage : .invalidWorkflow, error.description)
        }
        do throws(WorkflowError) {
            for assignment in options.assignments { _ = try prompt.set(assignment, schemas: schemas) }
        } catch {
            throw ProgramError(.usage, "--set: \(error)")
        }
        if let seed = options.seed, prompt.setSeeds(seed).isEmpty {
            throw ProgramError(.usage, "--seed: the workflow has no input called seed or noise_seed with a number")
        }
    }

    /// Checks the workflow; nodes of unknown type that no output needs do not count.
    func validate(registry: NodeRegistry, files: any NodeFiles) async -> ValidationReport {
        await GraphEngine.validate(
            prompt, registry: registry, files: files,
            options: ValidationOptions(unknownTypes: .refusedWhereNeeded, hints: modelFiles))
    }
}
