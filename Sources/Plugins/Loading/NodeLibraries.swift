import JSON
public import NodeKit

/// A library of nodes that is listed in a folder.
public struct NodeLibrary: Sendable {
    public enum State: Sendable {
        case loaded(NodePack)
        /// Why it is not used.
        case refused(String)
    }

    public var module: String
    public var folder: String
    /// `nil` when it cannot be read.
    public var manifest: NodeLibraryManifest?
    public var state: State

    public var isLoaded: Bool { if case .loaded = state { true } else { false } }

    /// The library's file, or the manifest's where that cannot be read.
    public var file: String { folder + "/" + (manifest?.library ?? module + NodeLibraryManifest.suffix) }
}

/// All libraries of some folders.
public struct NodeLibraries: Sendable {
    public var libraries: [NodeLibrary] = []
    /// What is wrong with the folders themselves.
    public var folderProblems: [String] = []

    /// The node packs of the libraries that were loaded.
    public var packs: [NodePack] {
        libraries.compactMap { if case .loaded(let pack) = $0.state { pack } else { nil } }
    }

    /// What the user should be told: refused libraries and folders.
    public var warnings: [String] {
        folderProblems
            + libraries.compactMap { library in
                guard case .refused(let reason) = library.state else { return nil }
                return "the nodes of \(library.module) are not loaded: \(reason)"
            }
    }

    /// Loads every library that has a manifest in one of the folders. Nothing that is wrong with one of them is an error:
    /// it is refused, with the reason, and the others are loaded.
    ///
    /// Costs one failed system call for a folder that is not there.
    /// - Parameters:
    ///   - named: folders that the user named.
    ///   - perUser: the folder that need not be there.
    ///   - only: the modules to load, others are not looked at; `nil` for all.
    public static func load(named: [String], perUser: String?, only: [String]? = nil) -> NodeLibraries {
        read(named: named, perUser: perUser, only: only) { manifest, folder throws(PluginError) in
            .loaded(try LibraryLoader.load(manifest, folder: folder))
        }
    }

    /// The libraries of the folders, none of which is opened or loaded.
    ///
    /// - Parameter reason: why all are refused.
    public static func refuse(named: [String], perUser: String?, reason: String) -> NodeLibraries {
        read(named: named, perUser: perUser, only: nil) { _, _ in .refused(reason) }
    }

    private static func read(
        named: [String], perUser: String?, only: [String]?,
        _ state: (NodeLibraryManifest, String) throws(PluginError) -> NodeLibrary.State
    ) -> NodeLibraries {
        var result = NodeLibraries()
        var seen: Set<String> = []
        for (folder, isNamed) in named.map({ ($0, true) }) + [perUser].compactMap({ $0 }).map({ ($0, false) }) {
            guard let path = NodeFolder.realPath(folder) else {
                if isNamed { result.folderProblems.append("--nodes \(folder): there is no such folder") }
                continue
            }
            guard seen.insert(path).inserted else { continue }
            do throws(PluginError) {
                let found = try NodeFolder.locked(path) { () throws(PluginError) in list(path, only, state) }
                result.add(found ?? [])
            } catch {
                result.folderProblems.append("no nodes are loaded from \(folder): \(error.message)")
            }
        }
        return result
    }

    private static func list(
        _ folder: String, _ only: [String]?,
        _ state: (NodeLibraryManifest, String) throws(PluginError) -> NodeLibrary.State
    ) -> [NodeLibrary] {
        NodeFolder.entries(folder).filter { name in
            guard name.hasSuffix(NodeLibraryManifest.suffix), !name.hasPrefix(".") else { return false }
            return only?.contains(String(name.dropLast(NodeLibraryManifest.suffix.count))) ?? true
        }.map { name in
            let module = String(name.dropLast(NodeLibraryManifest.suffix.count))
            var library = NodeLibrary(module: module, folder: folder, manifest: nil, state: .refused(""))
            do throws(PluginError) {
                let manifest = try self.manifest(folder + "/" + name)
                library.manifest = manifest
                guard manifest.module == module else {
                    throw PluginError("\(folder)/\(name) is the manifest of a module \(manifest.module)")
                }
                library.state = try state(manifest, folder)
            } catch {
                library.state = .refused(error.message)
            }
            return library
        }
    }

    static func manifest(_ path: String) throws(PluginError) -> NodeLibraryManifest {
        let bytes = try CheckedFile.read(path, limit: NodeLibraryManifest.byteLimit)
        guard let json = try? JSON(parsing: bytes) else { throw PluginError("\(path) is not JSON") }
        do throws(PluginError) {
            return try NodeLibraryManifest(json)
        } catch {
            throw PluginError("\(path): \(error.message)")
        }
    }

    /// The first library of a module is the one that counts, as folders that the user names come first.
    private mutating func add(_ found: [NodeLibrary]) {
        for var library in found {
            if let earlier = libraries.first(where: { $0.module == library.module && $0.isLoaded }), library.isLoaded {
                library.state = .refused("the module is taken from \(earlier.folder)")
            }
            libraries.append(library)
        }
    }
}
