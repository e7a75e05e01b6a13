import ArgumentParser

/// Describes a checkpoint file.
struct InspectCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Tells what a checkpoint is: family, types, number of parameters.")

    @Argument(help: ArgumentHelp("A safetensors file.", valueName: "file")) var file: String
    @Flag(help: "Print JSON.") var json = false

    func execute(_ program: Program) async throws -> ProgramStatus {
        guard let inspect = program.composition.inspect else {
            throw ProgramError(.runFailed, "this build cannot inspect checkpoints")
        }
        do {
            try inspect(file, json, program.console)
        } catch {
            throw ProgramError(.runFailed, String(describing: error))
        }
        return .done
    }
}

/// Makes miniature models for the demo workflows.
struct DemoModelsCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-models",
        abstract: "Makes miniature models with random weights, for trying graphrun without a download.")

    @Argument(help: ArgumentHelp("The models folder to fill.", valueName: "dir")) var folder: String

    func execute(_ program: Program) async throws -> ProgramStatus {
        guard let make = program.composition.makeDemoModels else {
            throw ProgramError(.runFailed, "this build cannot make demo models")
        }
        do {
            try make(folder, program.console)
        } catch {
            throw ProgramError(.runFailed, String(describing: error))
        }
        return .done
    }
}
