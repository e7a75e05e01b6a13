import ArgumentParser

/// The program apart from its process: arguments in, exit status out.
public struct Program: Sendable {
    let composition: Composition
    let console: any Console
    /// Told how to stop a run while one is going on.
    let interrupts: any InterruptSource

    public init(
        composition: Composition = .standard, console: any Console = SystemConsole(),
        interrupts: any InterruptSource = SignalInterrupts()
    ) {
        self.composition = composition
        self.console = console
        self.interrupts = interrupts
    }

    /// Parses and carries out one command line.
    ///
    /// - Parameter arguments: without the program's name.
    public func run(_ arguments: [String]) async -> ProgramStatus {
        var command: any ParsableCommand
        do {
            command = try GraphRunCommand.parseAsRoot(ServeArguments.completed(arguments))
            guard let known = command as? any ProgramCommand else {
                // `help` and its like print by throwing.
                try command.run()
                return .done
            }
            return try await known.execute(self)
        } catch let error as ProgramError {
            console.error(error.message)
            return error.status
        } catch {
            return report(error)
        }
    }

    /// Help and version texts, and errors in arguments, which are status 2 here rather than the parser's 64.
    private func report(_ error: any Error) -> ProgramStatus {
        let text = GraphRunCommand.fullMessage(for: error)
        guard GraphRunCommand.exitCode(for: error) == .success else {
            console.noteLine(text)
            return .usage
        }
        if !text.isEmpty { console.print(text) }
        return .done
    }
}

/// A command that needs the rest of the program.
protocol ProgramCommand: ParsableCommand {
    func execute(_ program: Program) async throws -> ProgramStatus
}

/// The commands of `graphrun`.
struct GraphRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graphrun",
        abstract: "Runs ComfyUI workflows natively.",
        discussion: """
            graphrun WORKFLOW is short for graphrun run WORKFLOW. A workflow is a JSON file in ComfyUI's front-end or API \
            format, or a picture that carries one.

            Exit status: 0 done, 1 the run failed, 2 wrong arguments, 3 invalid workflow, 130 cancelled.
            """,
        version: "graphrun \(ProgramVersion.text)",
        subcommands: [
            RunCommand.self, ServeCommand.self, ValidateCommand.self, PlanCommand.self, ConvertCommand.self,
            NodesCommand.self, InspectCommand.self, CacheCommand.self, DemoModelsCommand.self,
        ],
        defaultSubcommand: RunCommand.self)
}

/// The version of the program.
public enum ProgramVersion {
    public static let text = "0.1.0"
}
