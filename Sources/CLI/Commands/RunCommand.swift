import ArgumentParser
import Engine
import JSON
import NodeKit
import Synchronization
import Tensors
import Workflow

/// Runs a workflow.
struct RunCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a workflow. The default command.")

    @OptionGroup var workflow: WorkflowOptions
    @OptionGroup var folders: FolderOptions
    @OptionGroup var libraries: NodeOptions
    @OptionGroup var verbosity: VerbosityOptions
    @OptionGroup var cacheFolder: CacheFolderOptions
    @OptionGroup var limits: CacheLimitOptions
    @OptionGroup var previews: PreviewSettings

    @Option(
        help: ArgumentHelp(
            "Where the latest preview is written as PNG; \"preview.png\" in the output folder if absent.",
            valueName: "file"))
    var previewFile: String?

    @Option(
        help: ArgumentHelp(
            "Type of the operands of matrix products; auto takes bf16 where the processor multiplies it natively.",
            valueName: "auto|fp32|bf16"),
        transform: { text in
            guard let precision = Precision(rawValue: text) else {
                throw ValidationError("found \"\(text)\", expected auto, fp32 or bf16")
            }
            return precision
        })
    var precision = Precision.auto

    @Option(help: ArgumentHelp("Threads to compute with; all processors if absent.", valueName: "count"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "How many nodes may compute at the same time where the graph and the memory allow it.", valueName: "count"))
    var parallelNodes = 2

    @Option(help: ArgumentHelp("Write every node's outputs into a safetensors file.", valueName: "file"))
    var saveOutputs: String?

    @Option(
        help: ArgumentHelp(
            "How many seconds of a sampler's work may be lost when the process is killed.", valueName: "seconds"))
    var checkpointSeconds = 10.0

    @Option(
        help: ArgumentHelp(
            "Write what nodes, steps and tensor operations took, for Perfetto (ui.perfetto.dev).", valueName: "file"))
    var trace: String?

    @Flag(help: "Print every event as one line of JSON.") var json = false

    /// The most that results may take of the memory for results and models: one command runs one workflow, so that
    /// only nodes that are alike reuse them.
    private static let resultBytes = 512 << 20

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: found \(threads), expected 1 to 1024.")
        }
        guard (1...1024).contains(parallelNodes) else {
            throw ValidationError("--parallel-nodes: found \(parallelNodes), expected 1 to 1024.")
        }
        guard (0...86400).contains(checkpointSeconds) else {
            throw ValidationError("--checkpoint-seconds: found \(checkpointSeconds), expected 0 to 86400.")
        }
    }

    func execute(_ program: Program) async throws -> ProgramStatus {
        let registry = program.registry(libraries)
        let loaded = try LoadedWorkflow(workflow, registry: registry)
        if !json { program.show(loaded.notes, verbosity.level) }
        let files = try folders.folders(digests: cacheFolder.folder.map { FileDigests(CacheFolder($0)) })
        defer { files.removeTemporaryFolder() }
        let control = RunControl()
        program.interrupts.listen {
            control.cancel()
        } abort: { [saveOutputs] in
            files.removeTemporaryFolder()
            files.removeUnfinishedFiles(alsoIn: saveOutputs.map { [folder(of: $0)] } ?? [])
        }
        let report = await loaded.validate(registry: registry, files: files)
        show(report, program.console)
        guard let validated = report.validated else { return .invalidWorkflow }
        // Nodes that save take the prompt along.
        let saves = validated.outputs.contains { id in
            validated.prompt[id].flatMap { registry[$0.classType] }?.schema.hidden.contains(.prompt) == true
        }
        if saves {
            do { try files.checkOutputFolder() } catch { throw ProgramError(.runFailed, String(describing: error)) }
        }
        let trace = try openTrace(validated.prompt)
        let backend = try backend(program)
        let engine = GraphEngine(
            registry: registry, backend: trace?.traced(backend) ?? backend, files: files,
            cache: ResultCache(byteLimit: limits.memory.byteCount, resultLimit: Self.resultBytes),
            // Every node's outputs are wanted: results on disk would leave out what only led to them.
            store: saveOutputs == nil ? program.store(cacheFolder, limits, registry) : nil, resume: resumeFolder)
        return try await run(validated, loaded, engine, control, trace, program.console)
    }

    private var resumeFolder: ResumeFolder? {
        cacheFolder.folder.map {
            ResumeFolder(CacheFolder($0), limits: ResumeFolder.Limits(checkpointSeconds: checkpointSeconds))
        }
    }

    private func openTrace(_ prompt: Prompt) throws -> RunTrace? {
        guard let trace else { return nil }
        let names = prompt.nodes.map { ($0.key, $0.value.title ?? $0.value.classType) }
        do {
            return try RunTrace(
                path: trace, names: Dictionary(names, uniquingKeysWith: { first, _ in first }))
        } catch {
            throw ProgramError(.usage, "--trace: \(error)")
        }
    }

    private func backend(_ program: Program) throws -> any Backend {
        do {
            return try program.composition.backend(precision, threads)
        } catch {
            throw ProgramError(.runFailed, String(describing: error))
        }
    }

    private func run(
        _ validated: ValidatedPrompt, _ loaded: LoadedWorkflow, _ engine: GraphEngine, _ control: RunControl,
        _ trace: RunTrace?, _ console: any Console
    ) async throws -> ProgramStatus {
        let display = RunDisplay(
            console, verbosity: verbosity.level, asJSON: json, prompt: validated.prompt,
            outputFolder: folders.output)
        let archive = saveOutputs.map { OutputArchive(path: $0, backend: engine.backend) }
        var options = RunOptions(
            promptID: "1", control: control, extraPNGInfo: loaded.extraPNGInfo, parallelNodes: parallelNodes,
            workingMemory: limits.memory.explicitBytes)
        options.previews = previews.options
        let previewFile = PreviewFile(path: self.previewFile ?? folders.output + "/preview.png")
        if let archive { options.resultObserver = { archive.add($0, $1) } }
        let start = ContinuousClock.now
        let result = await engine.run(validated, options: options) { event in
            trace?.observe(event)
            display.show(event)
            if case .preview(_, let preview) = event.kind { previewFile.show(preview) }
        }
        trace?.close()
        display.clearBar()
        switch result.status {
        case .failed: return .runFailed
        case .interrupted: return .cancelled
        case .success: break
        }
        do {
            try archive?.write()
        } catch {
            throw ProgramError(.runFailed, String(describing: error))
        }
        if !json && verbosity.level == .verbose {
            console.noteLine("done in \(duration(seconds(start.duration(to: .now))))")
        }
        return .done
    }

    /// Faults, also of parts of the workflow while others can run.
    private func show(_ report: ValidationReport, _ console: any Console) {
        if report.isClean { return }
        if json {
            let event: JSONObject = ["type": .string("validation"), "data": report.json]
            return console.print(JSON.object(event).text(.compact))
        }
        if report.validated != nil {
            if verbosity.level == .quiet { return }
            console.warning("a part of the workflow cannot run:")
        } else {
            console.error("the workflow cannot run:")
        }
        for line in FaultText.lines(report) + MissingText.lines(report.missing) { console.noteLine("  " + line) }
    }
}

/// The folder that a file lies in.
private func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
