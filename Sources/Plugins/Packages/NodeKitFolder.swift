import Engine
import Glibc
import NodeKit

/// What a package of nodes is compiled and linked against: `libNodeKit.so`, `Modules/*.swiftmodule` and the C modules in
/// `include`, in one folder.
///
/// These are the files the running program was made with, so that a plugin compiles in seconds and the process has one
/// NodeKit. The folder's name contains the beginning of ``NodeKitVersion/layout``: a package that names an older folder
/// keeps building against files that fit together, or fails because they are gone.
public struct NodeKitFolder: Sendable {
    public let path: String

    private static let modules = ["JSON", "Tensors", "Diffusion", "NodeKit"]
    private static let prefix = "NodeKit-"
    private static var name: String { prefix + String(NodeKitVersion.current.layout.prefix(16)) }
    /// Written last; what makes a folder complete.
    private static let buildHeader = "include/NodeKitBuild/nodekit_build.h"

    /// The folder of the running program: beside its `libNodeKit.so`, where `make install` puts it. In a build folder of
    /// graphrun's own package it is made when it is missing.
    ///
    /// - Throws: ``PluginError`` when it is missing and cannot be made.
    public static func current() throws(PluginError) -> NodeKitFolder {
        let libraries = try libraryFolder()
        let path = libraries + "/" + name
        if NodeFolder.realPath(path + "/" + buildHeader) != nil { return NodeKitFolder(path: path) }
        guard NodeFolder.realPath(libraries + "/Modules/NodeKit.swiftmodule") != nil else {
            throw PluginError(
                "NodeKit's modules are not installed: expected \(path); install graphrun again with make install")
        }
        let made = try write(into: libraries)
        for old in NodeFolder.entries(libraries) where old.hasPrefix(prefix) && old != name {
            removeTree(libraries + "/" + old)
        }
        return made
    }

    /// Makes the folder from graphrun's build folder.
    ///
    /// - Parameter parent: the folder it is put into, with `libNodeKit.so`'s digits in its name.
    /// - Throws: ``PluginError``.
    public static func write(into parent: String) throws(PluginError) -> NodeKitFolder {
        guard !NodeKitVersion.current.layout.isEmpty else {
            throw PluginError("libNodeKit.so has no build ID: link it with --build-id=sha1")
        }
        let libraries = try libraryFolder()
        let sources = try cModuleSources(from: libraries)
        try makeFolder(parent)
        let temporary = "\(parent)/.\(name)-\(getpid())"
        removeTree(temporary)
        defer { removeTree(temporary) }
        for folder in ["Modules", "include/NodeKitBuild"] { try makeFolder(temporary + "/" + folder) }
        try copyModules(from: libraries, to: temporary)
        for (module, folder) in [
            ("CJSON", "CJSON"), ("CNumeric", "CNumeric/include"), ("CNodeKit", "CNodeKit/include"),
        ] {
            try makeFolder("\(temporary)/include/\(module)")
            for file in NodeFolder.entries("\(sources)/\(folder)")
            where file.hasSuffix(".h") || file.hasSuffix(".modulemap") {
                try copy("\(sources)/\(folder)/\(file)", "\(temporary)/include/\(module)/\(file)")
            }
        }
        try put(
            "module NodeKitBuild {\n    header \"nodekit_build.h\"\n    export *\n}\n",
            temporary + "/include/NodeKitBuild/module.modulemap")
        try put(header, temporary + "/" + buildHeader)
        let path = parent + "/" + name
        // Another process may have been faster: then its folder is as good.
        guard unsafe rename(temporary, path) == 0 || errno == ENOTEMPTY || errno == EEXIST else {
            throw PluginError("\(path) cannot be made: \(CheckedFile.lastProblem())")
        }
        return NodeKitFolder(path: path)
    }

    /// The text is a constant in the plugin, the compiler's part put in by the compiler that compiles the plugin.
    private static var header: String {
        let version = NodeKitVersion.current
        return """
            #pragma once
            #include <CNodeKit/cnodekit.h>

            /* The NodeKit that includes this header is compiled against. */
            static inline const char *_Nonnull nodekit_build(void) {
                return "NodeKit \(version.number); layout \(version.layout); compiler " CNODEKIT_COMPILER;
            }

            """
    }

    private static func libraryFolder() throws(PluginError) -> String {
        guard let library = NodeKitVersion.libraryPath.flatMap(NodeFolder.realPath),
            let slash = library.lastIndex(of: "/")
        else { throw PluginError("the system does not tell where libNodeKit.so was loaded from") }
        return String(library[..<slash])
    }

    /// `Sources/Kit/Sources` above a build folder.
    private static func cModuleSources(from libraries: String) throws(PluginError) -> String {
        var folder = libraries[...]
        while let slash = folder.lastIndex(of: "/") {
            folder = folder[..<slash]
            let sources = folder + "/Sources/Kit/Sources"
            if NodeFolder.realPath(sources + "/CNodeKit/include/cnodekit.h") != nil { return String(sources) }
        }
        throw PluginError(
            "graphrun's sources are not above \(libraries), so that NodeKit's C modules are not found: build graphrun in "
                + "its own folder")
    }

    private static func copyModules(from libraries: String, to folder: String) throws(PluginError) {
        let library = libraries + "/libNodeKit.so"
        for module in modules {
            let file = "\(libraries)/Modules/\(module).swiftmodule"
            // Modules that were compiled after the library was linked describe another layout.
            guard let compiled = modified(file), let linked = modified(library), compiled <= linked else {
                throw PluginError("\(file) is missing or newer than libNodeKit.so: finish graphrun's build first")
            }
            try copy(file, "\(folder)/Modules/\(module).swiftmodule")
            let documentation = "\(libraries)/Modules/\(module).swiftdoc"
            if NodeFolder.realPath(documentation) != nil {
                try copy(documentation, "\(folder)/Modules/\(module).swiftdoc")
            }
        }
        try copy(library, folder + "/libNodeKit.so")
    }

    private static func modified(_ path: String) -> Int? {
        var record = stat()
        guard unsafe stat(path, &record) == 0 else { return nil }
        return Int(record.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(record.st_mtim.tv_nsec)
    }

    private static func copy(_ source: String, _ target: String) throws(PluginError) {
        try put(CheckedFile.read(source, limit: 1 << 28), target)
    }

    private static func put(_ text: String, _ target: String) throws(PluginError) { try put(Array(text.utf8), target) }

    private static func put(_ bytes: [UInt8], _ target: String) throws(PluginError) {
        do {
            try writeFile(bytes, to: target)
        } catch {
            throw PluginError(String(describing: error))
        }
    }

    /// Removes a folder with everything in it; links are removed, not followed.
    static func removeTree(_ path: String) {
        var record = stat()
        guard unsafe lstat(path, &record) == 0 else { return }
        if record.st_mode & S_IFMT == S_IFDIR {
            for name in NodeFolder.entries(path) { removeTree(path + "/" + name) }
        }
        _ = unsafe remove(path)
    }
}
