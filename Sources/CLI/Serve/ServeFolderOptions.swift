import ArgumentParser
import Engine

/// The folders of a server, under the names of ComfyUI's options.
struct ServeFolderOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where models, input, output, temp and user are.", valueName: "dir"))
    var baseDirectory: String?

    @Option(help: ArgumentHelp("Models in ComfyUI's folder layout.", valueName: "dir"))
    var models: String?

    @Option(
        name: [.customLong("input-directory"), .customLong("input")],
        help: ArgumentHelp("Pictures that workflows load.", valueName: "dir"))
    var input: String?

    @Option(
        name: [.customLong("output-directory"), .customLong("output")],
        help: ArgumentHelp("Where pictures are saved.", valueName: "dir"))
    var output: String?

    @Option(
        name: .customLong("temp-directory"),
        help: ArgumentHelp("Where the folder for previews is made.", valueName: "dir"))
    var temporary: String?

    @Option(
        name: [.customLong("user-directory"), .customLong("user")],
        help: ArgumentHelp("Queue, history, settings and what users keep.", valueName: "dir"))
    var user: String?

    @Option(
        name: .customLong("extra-model-paths-config"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "Further model folders, in the format of ComfyUI's extra_model_paths.yaml. Can be repeated.",
            valueName: "file"))
    var extraModelPaths: [String] = []

    @Option(
        name: [.customLong("front-end"), .customLong("front-end-root")],
        help: ArgumentHelp("An unpacked front end (make front-end); a page of our own if absent.", valueName: "dir"))
    var frontEnd: String?

    var userFolder: String { user ?? inBase("user") }
    var frontEndFolder: String? { frontEnd }

    private func inBase(_ name: String) -> String { baseDirectory.map { $0 + "/" + name } ?? name }

    func folders(digests: FileDigests?) throws -> ModelFolders {
        do {
            return try ModelFolders(
                models: models ?? inBase("models"), input: input ?? inBase("input"), output: output ?? inBase("output"),
                extraModelPaths: extraModelPaths, digests: digests,
                temporary: temporary ?? baseDirectory.map { $0 + "/temp" })
        } catch {
            throw ProgramError(.usage, String(describing: error))
        }
    }
}
