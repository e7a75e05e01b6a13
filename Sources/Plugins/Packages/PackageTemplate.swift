import Engine
import Glibc

/// The files of a new package of nodes.
public enum PackageTemplate {
    /// Writes a package with one node and one test.
    ///
    /// - Parameters:
    ///   - name: the package's, the module's and the node's name.
    ///   - folder: where; must not exist yet or be empty.
    ///   - kit: the NodeKit that a plain `swift build` in it uses.
    /// - Throws: ``PluginError``.
    public static func write(_ name: String, to folder: String, kit: NodeKitFolder) throws(PluginError) {
        try ModuleName.check(name)
        if NodeFolder.realPath(folder) != nil, !NodeFolder.entries(folder).isEmpty {
            throw PluginError("\(folder) is there already and not empty: nothing is overwritten")
        }
        let files = [
            ("Package.swift", manifest(name, kit)), ("Sources/\(name)/\(name).swift", source(name)),
            ("Tests/\(name)Tests/\(name)Tests.swift", test(name)), ("README.md", readme(name)),
            (".gitignore", ".build/\n"),
        ]
        for (path, text) in files {
            let full = folder + "/" + path
            try makeFolder(String(full[..<(full.lastIndex(of: "/") ?? full.endIndex)]))
            do {
                try writeFile(Array(text.utf8), to: full)
            } catch {
                throw PluginError(String(describing: error))
            }
        }
    }

    private static func manifest(_ name: String, _ kit: NodeKitFolder) -> String {
        """
        // swift-tools-version: 6.2
        import PackageDescription

        // The NodeKit to build against: `graphrun nodes build` sets the variable to its own, and for a plain `swift build`
        // or `swift test` after graphrun was updated, GRAPHRUN_KIT=$(graphrun nodes kit) does.
        let kit = Context.environment["GRAPHRUN_KIT"] ?? \(swiftLiteral(kit.path))
        let settings: [SwiftSetting] = [.unsafeFlags(["-I", kit + "/Modules", "-I", kit + "/include"])]

        let package = Package(
            name: "\(name)",
            products: [.library(name: "\(name)", type: .dynamic, targets: ["\(name)"])],
            targets: [
                .target(
                    name: "\(name)", swiftSettings: settings,
                    linkerSettings: [.unsafeFlags(["-L", kit, "-lNodeKit", "-Xlinker", "-rpath", "-Xlinker", kit])]),
                .testTarget(name: "\(name)Tests", dependencies: ["\(name)"], swiftSettings: settings),
            ]
        )

        """
    }

    private static func source(_ name: String) -> String {
        """
        import NodeKit
        import NodeKitBuild
        import Tensors

        /// Makes pictures brighter or darker.
        struct \(name)Node: Node {
            static let info = NodeInfo("\(name)", category: "\(name)", description: "Multiplies every colour by a factor.")

            @Input var image: Image
            @Input(.range(0.0...10.0), .step(0.05)) var factor = 1.5
            @Output var result: Image

            func run(_ context: NodeContext) async throws {
                let factor = Float(factor)
                result = Image(try HostMath.map(image.tensor) { min(max($0 * factor, 0), 1) })
            }
        }

        /// All nodes of this library.
        let pack = NodePack("\(name)", nodes: [\(name)Node.self])

        // What graphrun calls: the NodeKit that this was compiled against, then the nodes.
        @c(graphrun_nodes_build) public func nodesBuild() -> UnsafePointer<CChar> { nodekit_build() }
        @c(graphrun_nodes_pack) public func nodesPack() -> UnsafeMutableRawPointer { pack.handedOver }

        """
    }

    private static func test(_ name: String) -> String {
        """
        import NodeKit
        import Tensors
        import Testing

        @testable import \(name)

        @Test func coloursAreMultiplied() async throws {
            let image = Image(try Tensor([0.25, 0.5, 0.75], shape: [1, 1, 1, 3]))
            let result = try await NodeTrial().run(\(name)Node.self, ["image": image, "factor": 1.5])
            #expect(try result.value("IMAGE", as: Image.self).tensor.floats() == [0.375, 0.75, 1])
        }

        """
    }

    private static func readme(_ name: String) -> String {
        """
        # \(name)

        Nodes for graphrun, written in Swift.

            graphrun nodes build .         # build and install; from then on every graphrun has the nodes
            graphrun nodes list            # what is installed, and whether it is loaded
            graphrun nodes show \(name)
            swift test                     # the nodes' own tests

        A node is a struct with inputs, outputs and `run`; list it in `pack` in `Sources/\(name)/\(name).swift`.

        """
    }
}

/// Makes a folder, and those above it, that only its owner can write.
///
/// - Throws: ``PluginError``.
func makeFolder(_ path: String) throws(PluginError) {
    if path.isEmpty || NodeFolder.realPath(path) != nil { return }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolder(String(path[..<slash])) }
    guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
        throw PluginError("the folder \(path) cannot be made: \(CheckedFile.lastProblem())")
    }
}

/// A text as Swift source.
private func swiftLiteral(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": out += "\\\(scalar)"
        case _ where scalar.value < 32 || scalar.value == 127: out += "\\u{\(String(scalar.value, radix: 16))}"
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}
