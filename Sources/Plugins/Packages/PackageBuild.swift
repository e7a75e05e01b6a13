import Engine
import Glibc
import Hashing
import JSON
import NodeKit

/// Builds a package of nodes and installs its library.
public struct PackageBuild: Sendable {
    /// The package's folder, absolute.
    public let package: String
    /// The library product.
    public let product: String
    /// The product's Swift module.
    public let module: String
    private let kit: NodeKitFolder

    /// Reads the package's description.
    ///
    /// - Parameters:
    ///   - product: the library to build, where the package has several.
    /// - Throws: ``PluginError`` when there is no package with one dynamic library.
    public init(_ folder: String, product: String? = nil, kit: NodeKitFolder) throws(PluginError) {
        guard let path = NodeFolder.realPath(folder), NodeFolder.realPath(path + "/Package.swift") != nil else {
            throw PluginError("\(folder) is no package: there is no Package.swift in it; graphrun nodes new makes one")
        }
        package = path
        self.kit = kit
        let result = try Self.swift(["package", "--package-path", path, "dump-package"], kit, capturing: true)
        guard result.status == 0, let description = try? JSON(parsing: result.output) else {
            throw PluginError("\(path)/Package.swift cannot be read by swift package (see above)")
        }
        let libraries = (description["products"]?.arrayValue ?? []).filter {
            $0["type"]?["library"]?.arrayValue?.contains(.string("dynamic")) == true
        }
        let names = libraries.compactMap { $0["name"]?.stringValue }
        guard let chosen = libraries.first(where: { $0["name"]?.stringValue == product ?? names.first }),
            let name = chosen["name"]?.stringValue, let module = chosen["targets"]?[0]?.stringValue
        else {
            throw PluginError(
                "\(path)/Package.swift has no dynamic library\(product.map { " \"\($0)\"" } ?? ""): expected "
                    + ".library(name: …, type: .dynamic, targets: […]); found \(names.joined(separator: ", "))")
        }
        guard product != nil || names.count == 1 else {
            throw PluginError(
                "\(path)/Package.swift has several dynamic libraries (\(names.joined(separator: ", "))): choose one with "
                    + "--product")
        }
        // The name is part of file names.
        guard !name.contains("/"), !name.hasPrefix(".") else { throw PluginError("\"\(name)\" is no product's name") }
        try ModuleName.check(module)
        self.product = name
        self.module = module
    }

    /// Compiles the library; the compiler's messages go to standard error.
    ///
    /// - Returns: the library's path.
    /// - Throws: ``PluginError``.
    public func build() throws(PluginError) -> String {
        // Apart from the author's own builds, whose NodeKit may be another: SwiftPM does not look for changes in it.
        let scratch = package + "/.build/graphrun-" + NodeKitVersion.current.layout.prefix(16)
        let result = try Self.swift(
            [
                "build", "--package-path", package, "--scratch-path", scratch, "--configuration", "release",
                "--product", product,
            ], kit)
        guard result.status == 0 else {
            throw PluginError(
                "swift build failed with status \(result.status) (see above); NodeKit needs Swift "
                    + NodeKitVersion.current.swiftVersion)
        }
        return "\(scratch)/release/lib\(product).so"
    }

    /// Tries the library and puts it into a folder with its manifest. An earlier version is replaced: other processes see
    /// the old one or the new one, whole.
    ///
    /// - Throws: ``PluginError``; nothing is changed then.
    public func install(_ library: String, into folder: String) throws(PluginError) -> NodeLibraryManifest {
        try makeFolder(folder)
        guard let folder = NodeFolder.realPath(folder) else { throw PluginError("\(folder) is not there") }
        let bytes = try CheckedFile.read(library, limit: 1 << 29)
        let digest = SHA256.digest(bytes).description
        var manifest = NodeLibraryManifest(
            module: module, library: "\(module)-\(digest.prefix(16)).so", digest: digest, nodeKit: .current, nodes: [],
            package: package)
        let trial = try LibraryTrial(bytes, manifest)
        manifest.nodes = try trial.nodes()
        let installed = try NodeFolder.locked(folder, exclusively: true) { () throws(PluginError) in
            try put(bytes, folder + "/" + manifest.library)
            try put(
                Array((manifest.json.text(.pretty) + "\n").utf8), folder + "/" + module + NodeLibraryManifest.suffix)
            try EditorFiles.install(from: package, as: module, into: folder)
            for name in NodeFolder.entries(folder)
            where name.hasPrefix(module + "-") && name.hasSuffix(".so") && name != manifest.library {
                // Processes that have it loaded keep it.
                _ = unsafe unlink(folder + "/" + name)
            }
            return manifest
        }
        guard let installed else { throw PluginError("\(folder) was removed") }
        return installed
    }

    private func put(_ bytes: [UInt8], _ path: String) throws(PluginError) {
        do {
            try writeFile(bytes, to: path)
        } catch {
            throw PluginError(String(describing: error))
        }
        // Whatever the umask: everybody may read, nobody else write.
        guard unsafe chmod(path, 0o644) == 0 else {
            throw PluginError("\(path): \(CheckedFile.lastProblem())")
        }
    }

    private static func swift(
        _ arguments: [String], _ kit: NodeKitFolder, capturing: Bool = false
    ) throws(PluginError) -> Subprocess.Result {
        do throws(PluginError) {
            return try Subprocess.run(
                ["swift"] + arguments, environment: ["GRAPHRUN_KIT": kit.path], capturing: capturing)
        } catch {
            throw PluginError(
                "\(error.message); building nodes needs Swift \(NodeKitVersion.current.swiftVersion) in the PATH")
        }
    }
}

/// Loads a library from a folder of its own, as it will be loaded once it is installed.
private struct LibraryTrial {
    let folder: String
    let manifest: NodeLibraryManifest

    init(_ bytes: [UInt8], _ manifest: NodeLibraryManifest) throws(PluginError) {
        var template = Array("\(NodeFolder.variable("TMPDIR") ?? "/tmp")/graphrun-nodes-XXXXXX".utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe mkdtemp($0) != nil } ?? false
        }
        guard isMade else { throw PluginError("no temporary folder can be made: \(CheckedFile.lastProblem())") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.manifest = manifest
        do {
            try writeFile(bytes, to: folder + "/" + manifest.library)
        } catch {
            NodeKitFolder.removeTree(folder)
            throw PluginError(String(describing: error))
        }
        _ = unsafe chmod(folder + "/" + manifest.library, 0o644)
    }

    /// The names of its nodes.
    func nodes() throws(PluginError) -> [String] {
        defer { NodeKitFolder.removeTree(folder) }
        let pack = try LibraryLoader.load(manifest, folder: folder, checksNodes: false)
        let names = pack.definitions.map(\.schema.id)
        guard !names.isEmpty else { throw PluginError("the library has no nodes") }
        return names
    }
}
