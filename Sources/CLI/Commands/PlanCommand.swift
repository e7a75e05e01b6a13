import ArgumentParser
import Engine
import JSON
import NodeKit
import Planning
import Tensors
import Workflow

/// Says what a run would do and how long it would take, without running.
struct PlanCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "What a run would do: nodes, files, operations, memory, time. Runs nothing.",
        discussion: """
            The models' own code is carried out on tensors of zeros whose operations are counted, so that no weight is \
            read and nothing is saved. The time follows from the speed of a matrix product, measured for a moment.
            """)

    @OptionGroup var workflow: WorkflowOptions
    @OptionGroup var folders: FolderOptions
    @OptionGroup var cacheFolder: CacheFolderOptions
    @OptionGroup var libraries: NodeOptions
    @OptionGroup var verbosity: VerbosityOptions

    @Option(
        help: ArgumentHelp(
            "Type of the operands of matrix products in the run.", valueName: "auto|fp32|bf16"),
        transform: { text in
            guard let precision = Precision(rawValue: text) else {
                throw ValidationError("found \"\(text)\", expected auto, fp32 or bf16")
            }
            return precision
        })
    var precision = Precision.auto

    @Option(help: ArgumentHelp("Threads the run would compute with.", valueName: "count"))
    var threads: Int?

    @Option(help: ArgumentHelp("Write the graph with times in graphviz's language.", valueName: "file"))
    var dot: String?

    @Option(help: ArgumentHelp("Write the graph with times as SVG; needs graphviz.", valueName: "file"))
    var svg: String?

    @Flag(help: "Print the plan as JSON.") var json = false

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: found \(threads), expected 1 to 1024.")
        }
    }

    func execute(_ program: Program) async throws -> ProgramStatus {
        let registry = program.registry(libraries)
        let loaded = try LoadedWorkflow(workflow, registry: registry)
        if !json { program.show(loaded.notes, verbosity.level) }
        let cache = cacheFolder.folder.map { CacheFolder($0) }
        let files = try folders.folders(digests: cache.map { FileDigests($0) })
        defer { files.removeTemporaryFolder() }
        let report = await loaded.validate(registry: registry, files: files)
        for line in FaultText.lines(report) + MissingText.lines(report.missing) { program.console.noteLine(line) }
        guard let validated = report.validated else {
            program.console.error("the workflow cannot run, so there is nothing to plan")
            return .invalidWorkflow
        }
        let (type, speed) = try measure(program)
        let planner = Planner(
            registry: registry, files: files, precision: type, speed: speed,
            cached: try kept(validated, registry, files, cache, program))
        let plan = await planner.plan(validated)
        if json {
            program.console.print(plan.json.text(.pretty))
        } else {
            program.console.print(PlanText.lines(plan, type).joined(separator: "\n"))
        }
        try draw(plan)
        return plan.failure == nil ? .done : .runFailed
    }

    /// The nodes whose results are on disk.
    private func kept(
        _ prompt: ValidatedPrompt, _ registry: NodeRegistry, _ files: any NodeFiles, _ cache: CacheFolder?,
        _ program: Program
    ) throws -> Set<String> {
        guard let cache else { return [] }
        let backend: any Backend
        do {
            // Results belong to the backend and the precision that made them.
            backend = try program.composition.backend(precision, threads)
        } catch {
            throw ProgramError(.runFailed, String(describing: error))
        }
        let engine = GraphEngine(
            registry: registry, backend: backend, files: files, cache: ResultCache(byteLimit: 0),
            store: ResultStore(cache, types: registry.storable, warn: { program.console.warning($0) }))
        return Set(engine.explain(prompt).nodes.filter { $0.verdict == .kept }.map(\.id))
    }

    private func measure(_ program: Program) throws -> (DType, MachineSpeed) {
        guard let measure = program.composition.measureSpeed else {
            throw ProgramError(.usage, "this build of the program cannot measure the machine's speed")
        }
        do {
            let (type, gigaflops) = try measure(precision, threads)
            return (type, MachineSpeed(peak: gigaflops))
        } catch {
            throw ProgramError(.runFailed, "the machine's speed cannot be measured: \(error)")
        }
    }

    private func draw(_ plan: RunPlan) throws {
        do {
            if let dot { try writeFile(Array(plan.dot.utf8), to: dot) }
            if let svg { try Graphviz.svg(plan.dot, to: svg) }
        } catch let error as ProgramError {
            throw error
        } catch {
            throw ProgramError(.runFailed, String(describing: error))
        }
    }
}
