import Glibc
import Hashing
import NodeKit
import Synchronization

/// Brings a library's nodes into the process.
enum LibraryLoader {
    /// Names of the two C functions of every library.
    private static let buildFunction = "graphrun_nodes_build"
    private static let packFunction = "graphrun_nodes_pack"
    private static let byteLimit = 512 << 20

    /// What is in the process already. A module can only be there once: Swift finds types by their names.
    private static let loaded = Mutex<[String: (digest: String, pack: NodePack)]>([:])

    /// Loads a library that was installed.
    ///
    /// In this order: the manifest's versions, the digest, the file's structure; only then is anything of the library
    /// executed (`dlopen` runs its constructors). Then the C function that names the NodeKit it was compiled against, and
    /// only when that is ours the one that returns a Swift object.
    /// - Parameter checksNodes: whether the node types must be those of the manifest; `false` while it is being written.
    /// - Throws: ``PluginError``, why the library is refused.
    static func load(
        _ manifest: NodeLibraryManifest, folder: String, checksNodes: Bool = true
    ) throws(PluginError) -> NodePack {
        let host = NodeKitVersion.current
        if let reason = manifest.nodeKit.mismatch(with: host) {
            throw PluginError("\(reason); build it again: graphrun nodes build \(manifest.package)")
        }
        let path = folder + "/" + manifest.library
        let bytes = try CheckedFile.read(path, limit: byteLimit)
        let digest = SHA256.digest(bytes).description
        guard digest == manifest.digest else {
            throw PluginError(
                "\(path) is not what was installed: its SHA-256 is \(digest), the manifest says \(manifest.digest)")
        }
        if let known = loaded.withLock({ $0[manifest.module] }) {
            guard known.digest == digest else {
                throw PluginError("another library with the module \(manifest.module) is loaded already")
            }
            return known.pack
        }
        do throws(PluginError) {
            try SharedObject.check(bytes)
            let pack = versioned(try open(path), digest)
            if checksNodes { try compare(pack, manifest) }
            loaded.withLock { $0[manifest.module] = (digest, pack) }
            return pack
        } catch {
            throw PluginError("\(path): \(error.message)")
        }
    }

    /// Nothing is loaded that is not listed.
    private static func compare(_ pack: NodePack, _ manifest: NodeLibraryManifest) throws(PluginError) {
        let names = pack.definitions.map(\.schema.id)
        guard names == manifest.nodes else {
            throw PluginError(
                "its nodes are \(names.joined(separator: ", ")); the manifest lists "
                    + manifest.nodes.joined(separator: ", "))
        }
    }

    /// The pack with the library's digest as its nodes' version: results that another build of the library computed, kept
    /// on disk, are not used. Its author need not think of raising a number after every change.
    private static func versioned(_ pack: NodePack, _ digest: String) -> NodePack {
        // 52 bits, which JSON readers keep exactly.
        let version = Int(digest.prefix(13), radix: 16) ?? 0
        let definitions = pack.definitions.map { definition in
            var schema = definition.schema
            schema.version = version
            return NodeDefinition(
                schema: schema, fingerprint: { try definition.fingerprint($0, linked: $1, $2) },
                validator: definition.validator, lazyCheck: definition.lazyCheck,
                body: { try await definition.run($0, $1) })
        }
        return NodePack(pack.name, definitions: definitions, storable: pack.storable)
    }

    /// The library stays in the process whatever happens: Swift's runtime keeps pointers into it.
    private static func open(_ path: String) throws(PluginError) -> NodePack {
        guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw PluginError("it cannot be loaded: \(lastProblem())")
        }
        guard let build = unsafe dlsym(handle, buildFunction), let pack = unsafe dlsym(handle, packFunction) else {
            throw PluginError(
                "it has no C function \(buildFunction) or \(packFunction): see the file that graphrun nodes new makes")
        }
        let buildCall = unsafe unsafeBitCast(build, to: (@convention(c) () -> UnsafePointer<CChar>?).self)
        guard let text = unsafe buildCall(), let found = unsafe String(validatingCString: text) else {
            throw PluginError("\(buildFunction) returned no text")
        }
        guard let version = NodeKitVersion(found) else {
            throw PluginError("\(buildFunction) returned \"\(found)\", expected \"\(NodeKitVersion.current)\"")
        }
        if let reason = version.mismatch(with: .current) {
            throw PluginError("\(reason), although the manifest says otherwise")
        }
        let packCall = unsafe unsafeBitCast(pack, to: (@convention(c) () -> UnsafeMutableRawPointer?).self)
        guard let reference = unsafe packCall() else { throw PluginError("\(packFunction) returned nothing") }
        return unsafe NodePack(takingOver: reference)
    }

    private static func lastProblem() -> String {
        unsafe dlerror().map { unsafe String(cString: $0) } ?? "no reason was given"
    }
}
