import ArgumentParser
import Plugins

/// Begins a package of nodes.
struct NodesNewCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Writes a package with one node and one test, to begin with.")

    @Argument(help: ArgumentHelp("Name of the package, of its module and of its node.", valueName: "name"))
    var name: String
    @Option(help: ArgumentHelp("The package's folder; a new one with its name if absent.", valueName: "dir"))
    var path: String?

    func execute(_ program: Program) async throws -> ProgramStatus {
        let folder = path ?? name
        do throws(PluginError) {
            try ModuleName.check(name)
            try PackageTemplate.write(name, to: folder, kit: .current())
        } catch {
            throw ProgramError(.usage, error.message)
        }
        program.console.print(folder)
        program.console.noteLine(
            "the node is in \(folder)/Sources/\(name)/\(name).swift; next: graphrun nodes build \(folder)")
        return .done
    }
}

/// Builds and installs a package of nodes.
struct NodesBuildCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Builds a package of nodes and installs its library.",
        discussion: "Building runs what is in the package's Package.swift: build only what you trust.")

    @Argument(help: ArgumentHelp("The package's folder.", valueName: "package")) var package: String
    @Option(
        name: .customLong("nodes"),
        help: ArgumentHelp("Where to install; the user's own folder if absent.", valueName: "dir"))
    var folder: String?
    @Option(help: ArgumentHelp("The library to build, if the package has several.", valueName: "name"))
    var product: String?

    func execute(_ program: Program) async throws -> ProgramStatus {
        guard let folder = folder ?? program.composition.nodeFolder() else {
            throw ProgramError(.usage, "there is no home folder to install into: say --nodes DIR")
        }
        let build: PackageBuild
        do throws(PluginError) {
            build = try PackageBuild(package, product: product, kit: .current())
        } catch {
            throw ProgramError(.usage, error.message)
        }
        do throws(PluginError) {
            let manifest = try build.install(build.build(), into: folder)
            program.console.print("\(folder)/\(manifest.library)")
            let names = manifest.nodes.map(printable).joined(separator: ", ")
            program.console.noteLine(
                "installed \(manifest.module) with \(counted(manifest.nodes.count, "node")): \(names)")
        } catch {
            throw ProgramError(.runFailed, printable(error.message))
        }
        return .done
    }
}

/// Tells where NodeKit is, for plain `swift build` and `swift test` in a package of nodes.
struct NodesKitCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "kit",
        abstract: "Prints the folder of the NodeKit that packages of nodes are built against.",
        discussion: "In a package: GRAPHRUN_KIT=$(graphrun nodes kit) swift test")

    @Option(help: ArgumentHelp("Write the folder into another one instead, for an installation.", valueName: "dir"))
    var into: String?

    func execute(_ program: Program) async throws -> ProgramStatus {
        do throws(PluginError) {
            let kit = if let into { try NodeKitFolder.write(into: into) } else { try NodeKitFolder.current() }
            program.console.print(kit.path)
        } catch {
            throw ProgramError(.runFailed, error.message)
        }
        return .done
    }
}
