import ArgumentParser

/// What there is in nodes, and libraries of one's own.
struct NodesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes",
        abstract: "Shows node types; makes, builds and lists libraries of nodes.",
        discussion: "graphrun nodes TYPE is short for graphrun nodes show TYPE.",
        subcommands: [
            NodesShowCommand.self, NodesListCommand.self, NodesNewCommand.self, NodesBuildCommand.self,
            NodesKitCommand.self,
        ],
        defaultSubcommand: NodesShowCommand.self)
}
