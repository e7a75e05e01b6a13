import ArgumentParser
import Engine
import JSON
import NodeKit
import Plugins

/// Lists where nodes come from.
struct NodesListCommand: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the modules that nodes come from: file, digest, version, nodes, and whether it is loaded.")

    @OptionGroup var libraries: NodeOptions
    @Flag(help: "Print JSON.") var json = false

    func execute(_ program: Program) async throws -> ProgramStatus {
        let folder = program.composition.nodeFolder()
        let found =
            libraries.onlyBuiltin
            ? NodeLibraries.refuse(named: libraries.folders, perUser: folder, reason: "--only-builtin")
            : NodeLibraries.load(named: libraries.folders, perUser: folder)
        let builtIn = program.composition.packs()
        let registry = NodeRegistry(builtIn + found.packs)
        for problem in found.folderProblems + registry.problems { program.console.warning(printable(problem)) }
        let entries =
            builtIn.map { Entry(builtIn: $0) } + found.libraries.map { Entry($0) }
        if json {
            program.console.print(JSON.array(entries.map(\.json)).text(.pretty))
        } else {
            for entry in entries { program.console.print(entry.lines.map(printable).joined(separator: "\n")) }
        }
        return .done
    }
}

/// One module of the list.
private struct Entry {
    var name: String
    var file: String
    var manifest: NodeLibraryManifest?
    var nodes: [String]
    /// `nil` when it is loaded.
    var refusal: String?

    init(builtIn pack: NodePack) {
        name = pack.name
        file = "built in"
        nodes = pack.definitions.map(\.schema.id)
    }

    init(_ library: NodeLibrary) {
        name = library.module
        file = library.file
        manifest = library.manifest
        switch library.state {
        case .loaded(let pack): nodes = pack.definitions.map(\.schema.id)
        case .refused(let reason):
            nodes = library.manifest?.nodes ?? []
            refusal = reason
        }
    }

    var lines: [String] {
        var lines = ["\(name): \(refusal.map { "refused: \($0)" } ?? "loaded")"]
        lines.append("    file    \(file)")
        if let manifest {
            lines.append("    digest  \(manifest.digest)")
            lines.append(
                "    version NodeKit \(manifest.nodeKit.number), layout \(manifest.nodeKit.layout.prefix(16)), "
                    + "Swift \(manifest.nodeKit.swiftVersion)")
        }
        lines.append("    nodes   \(nodes.joined(separator: ", "))")
        return lines
    }

    var json: JSON {
        var members: JSONObject = [
            "module": .string(name), "file": .string(file), "loaded": .bool(refusal == nil),
            "nodes": .array(nodes.map { .string($0) }),
        ]
        if let refusal { members["refused"] = .string(refusal) }
        if let manifest {
            members["sha256"] = .string(manifest.digest)
            members["nodekit"] = .string(manifest.nodeKit.number)
            members["layout"] = .string(manifest.nodeKit.layout)
            members["compiler"] = .string(manifest.nodeKit.compiler)
            members["package"] = .string(manifest.package)
        }
        return .object(members)
    }
}
