public import JSON
public import NodeKit

/// What stands beside an installed library: a file `MODULE.nodes.json`. Only libraries that have one are looked at.
public struct NodeLibraryManifest: Sendable, Hashable {
    /// The Swift module, which is also the beginning of the file name.
    public var module: String
    /// The library's name in the manifest's folder.
    public var library: String
    /// SHA-256 of the library, 64 hexadecimal digits.
    public var digest: String
    /// The NodeKit that it was built with.
    public var nodeKit: NodeKitVersion
    /// The node types in it, in its own order.
    public var nodes: [String]
    /// The package it was built from, for messages.
    public var package: String

    static let suffix = ".nodes.json"
    /// A few thousand nodes; more is no manifest.
    static let byteLimit = 1 << 20
    private static let format = 1

    public init(
        module: String, library: String, digest: String, nodeKit: NodeKitVersion, nodes: [String], package: String
    ) {
        self.module = module
        self.library = library
        self.digest = digest
        self.nodeKit = nodeKit
        self.nodes = nodes
        self.package = package
    }

    /// - Throws: ``PluginError`` naming the member that is missing or of another type.
    public init(_ json: JSON) throws(PluginError) {
        guard let object = json.objectValue else {
            throw PluginError("the manifest is \(json.kind), expected an object")
        }
        func text(_ key: String) throws(PluginError) -> String {
            guard let value = object[key]?.stringValue else {
                throw PluginError("the manifest has no text \"\(key)\" (found \(object[key]?.kind ?? "nothing"))")
            }
            return value
        }
        guard object["format"]?.intValue == Self.format else {
            throw PluginError(
                "the manifest has format \(object["format"]?.text() ?? "none"), this program reads \(Self.format)")
        }
        module = try text("module")
        library = try text("library")
        digest = try text("sha256")
        let number = try text("nodekit")
        guard
            let version = NodeKitVersion(
                "NodeKit \(number); layout \(try text("layout")); compiler \(try text("compiler"))")
        else { throw PluginError("the manifest's \"nodekit\" is \"\(number)\", expected a version like 1.0.0") }
        nodeKit = version
        var names: [String] = []
        for item in object["nodes"]?.arrayValue ?? [] {
            guard let name = item.stringValue else {
                throw PluginError("the manifest's \"nodes\" has \(item.kind) in it, expected texts")
            }
            names.append(name)
        }
        nodes = names
        package = try text("package")
        guard ModuleName.isIdentifier(module) else {
            throw PluginError("the manifest's \"module\" is \"\(module)\", which is no Swift identifier")
        }
        // The library lies beside the manifest, nowhere else.
        guard !library.isEmpty, !library.contains("/"), !library.contains("\0"), library != ".", library != ".." else {
            throw PluginError("the manifest's \"library\" is \"\(library)\", expected a file name without a folder")
        }
    }

    public var json: JSON {
        .object([
            "format": .int(Int64(Self.format)), "module": .string(module), "library": .string(library),
            "sha256": .string(digest), "nodekit": .string(nodeKit.number), "layout": .string(nodeKit.layout),
            "compiler": .string(nodeKit.compiler), "nodes": .array(nodes.map { .string($0) }),
            "package": .string(package),
        ])
    }
}
