import ArgumentParser
import Engine
import NodeKit
import Plugins
import Server
import Synchronization
import Tensors

/// Serves ComfyUI's API.
struct ServeCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves ComfyUI's HTTP and WebSocket API.",
        discussion: """
            Takes the options of ComfyUI's main.py; those that mean nothing here are told and ignored. SIGTERM and SIGINT \
            finish the prompt that runs, a second one ends at once. What waits is kept and run by the next server.
            """)

    @OptionGroup var network: NetworkOptions
    @OptionGroup var folders: ServeFolderOptions
    @OptionGroup var prompts: PromptOptions
    @OptionGroup var libraries: NodeOptions
    @OptionGroup var cacheFolder: CacheFolderOptions
    @OptionGroup var limits: CacheLimitOptions
    @OptionGroup var compatibility: CompatibilityOptions

    @Option(
        help: ArgumentHelp(
            "Type of the operands of matrix products; auto takes bf16 where the processor multiplies it natively.",
            valueName: "auto|fp32|bf16"))
    var precision = Precision.auto

    @Option(help: ArgumentHelp("Threads to compute with; all processors if absent.", valueName: "count"))
    var threads: Int?

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var unknown: [String] = []

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: found \(threads), expected 1 to 1024.")
        }
    }

    func execute(_ program: Program) async throws -> ProgramStatus {
        let console = program.console
        for name in unknown where name.hasPrefix("-") {
            console.warning("\(printable(name)) is not an option of graphrun serve and is ignored")
        }
        for note in compatibility.notes { console.warning(note) }
        let options = try serveOptions()
        let files = try folders.folders(digests: cacheFolder.folder.map { FileDigests(CacheFolder($0)) })
        defer { files.removeTemporaryFolder() }
        let server: GraphServer
        do {
            server = try GraphServer(options, parts(program, files))
        } catch {
            throw ProgramError(.usage, String(describing: error))
        }
        program.interrupts.listen {
            server.drain()
        } abort: {
            files.removeTemporaryFolder()
            files.removeUnfinishedFiles()
        }
        let (scheme, place) = (options.tls == nil ? "http" : "https", Self.place(options))
        do {
            try await server.run { ports in
                for port in Set(ports) {
                    // The line that ComfyUI's launchers wait for.
                    console.print("To see the GUI go to: \(scheme)://\(place):\(port)")
                }
            }
        } catch {
            throw ProgramError(.runFailed, String(describing: error))
        }
        return .done
    }

    /// How a browser on this machine reaches the server.
    private static func place(_ options: ServeOptions) -> String {
        guard let first = options.addresses.first, first != "0.0.0.0", first != "::" else { return "127.0.0.1" }
        return first.contains(":") ? "[\(first)]" : first
    }

    /// Whether results outlive the process: not where the user has said how long they are kept, as ComfyUI's options do,
    /// nor for the nodes of tests, whose suites count which of them run.
    private var keepsResults: Bool {
        if cacheFolder.path != nil { return true }
        if case .all = prompts.policy { return !libraries.testingNodes }
        return false
    }

    private func parts(_ program: Program, _ files: ModelFolders) -> ServerParts {
        let console = program.console
        let loaded = LoadedLibraries()
        return ServerParts(
            files: files, version: ProgramVersion.text,
            registry: { [libraries, compatibility] in
                var only: [String]?
                if compatibility.disableAllCustomNodes { only = compatibility.whitelistCustomNodes }
                return program.registry(libraries, only: only) { loaded.set($0) }
            }, editorFolders: { loaded.editorFolders },
            engine: { [precision, threads, limits, cacheFolder, prompts, keepsResults] registry in
                let backend = try program.composition.backend(precision, threads)
                let memory = limits.memory.byteCount
                return GraphEngine(
                    registry: registry, backend: backend, files: files,
                    cache: ResultCache(byteLimit: memory, policy: prompts.policy),
                    store: keepsResults ? program.store(cacheFolder, limits, registry) : nil,
                    resume: cacheFolder.folder.map {
                        ResumeFolder(CacheFolder($0), limits: ResumeFolder.Limits(checkpointSeconds: 10))
                    })
            }, print: { console.noteLine("graphrun: " + printable($0)) })
    }

    private func serveOptions() throws -> ServeOptions {
        var options = ServeOptions()
        try network.apply(to: &options)
        try prompts.apply(to: &options)
        try compatibility.apply(to: &options)
        options.userFolder = folders.userFolder
        options.workingMemory = limits.memory.explicitBytes
        options.frontEndFolder = folders.frontEndFolder
        options.arguments = ServeArguments.withoutSecrets(CommandLine.arguments)
        return options
    }
}

/// The libraries of nodes that a server has loaded, once it has.
private final class LoadedLibraries: Sendable {
    private let folders = Mutex<[EditorFolder]>([])

    func set(_ libraries: NodeLibraries) {
        let found = libraries.libraries.filter(\.isLoaded).compactMap { library in
            library.editorFolder.map { EditorFolder(module: library.module, path: $0) }
        }
        folders.withLock { $0 = found }
    }

    var editorFolders: [EditorFolder] { folders.withLock { $0 } }
}
