import ArgumentParser
import Engine

/// The folders of an installation.
struct FolderOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Models in ComfyUI's folder layout.", valueName: "dir"))
    var models = "models"

    @Option(help: ArgumentHelp("Pictures that workflows load.", valueName: "dir"))
    var input = "input"

    @Option(help: ArgumentHelp("Where pictures are saved.", valueName: "dir"))
    var output = "output"

    @Option(
        name: .customLong("extra-model-paths-config"),
        help: ArgumentHelp(
            "Further model folders, in the format of ComfyUI's extra_model_paths.yaml. Can be repeated.",
            valueName: "file"))
    var extraModelPaths: [String] = []

    /// - Parameter digests: for keys that outlive the process; see `ModelFolders`.
    func folders(digests: FileDigests? = nil) throws -> ModelFolders {
        do {
            return try ModelFolders(
                models: models, input: input, output: output, extraModelPaths: extraModelPaths, digests: digests)
        } catch {
            throw ProgramError(.usage, String(describing: error))
        }
    }
}

struct VerbosityOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Say what every node does and how long it takes.")
    var verbose = false

    @Flag(name: .shortAndLong, help: "Say nothing but errors.")
    var quiet = false

    func validate() throws {
        if verbose && quiet { throw ValidationError("--verbose and --quiet exclude each other.") }
    }

    var level: Verbosity { verbose ? .verbose : quiet ? .quiet : .normal }
}

/// The workflow and what is changed in it.
struct WorkflowOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("A workflow (JSON in front-end or API format) or a picture with one.", valueName: "workflow")
    )
    var path: String

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Changes an input: NODE is an id or a title, as in --set 3.steps=8. Can be repeated.",
            valueName: "node.input=value"))
    var assignments: [String] = []

    @Option(help: ArgumentHelp("Gives all seeds this value.", valueName: "number"))
    var seed: UInt64?
}
