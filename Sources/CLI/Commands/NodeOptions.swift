import ArgumentParser
import Engine
import NodeKit
import Plugins

/// Which libraries of nodes are loaded beside the nodes that are built in.
struct NodeOptions: ParsableArguments {
    @Option(
        name: .customLong("nodes"),
        help: ArgumentHelp(
            "Load the nodes that were installed in a folder, before those of the user's own. Can be repeated.",
            valueName: "dir"))
    var folders: [String] = []

    @Flag(help: "Load no nodes but those that are built in.")
    var onlyBuiltin = false

    @Flag(help: "Add the nodes that tests of the execution protocol use. They sleep, fail and loop.")
    var testingNodes = false
}

extension Program {
    /// All nodes of the program: built in, and of the libraries in folders. What is wrong with them is told, and they
    /// are left out.
    ///
    /// - Parameter only: the modules whose libraries are loaded; `nil` for all.
    func registry(
        _ options: NodeOptions, only: [String]? = nil, onLoad: (NodeLibraries) -> Void = { _ in }
    ) -> NodeRegistry {
        registry(
            folders: options.folders, onlyBuiltin: options.onlyBuiltin, withTestingNodes: options.testingNodes,
            only: only, onLoad: onLoad)
    }

    /// - Parameters:
    ///   - folders: searched before the user's own folder.
    ///   - onLoad: told of the libraries.
    func registry(
        folders: [String] = [], onlyBuiltin: Bool = false, withTestingNodes: Bool = false, only: [String]? = nil,
        onLoad: (NodeLibraries) -> Void = { _ in }
    ) -> NodeRegistry {
        var packs = composition.packs()
        if withTestingNodes { packs += composition.testingPacks() }
        if !onlyBuiltin {
            let libraries = NodeLibraries.load(named: folders, perUser: composition.nodeFolder(), only: only)
            for warning in libraries.warnings { console.warning(printable(warning)) }
            packs += libraries.packs
            onLoad(libraries)
        }
        let registry = NodeRegistry(packs)
        for problem in registry.problems { console.warning(printable(problem)) }
        return registry
    }
}
