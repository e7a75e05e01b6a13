import Foundation
import Hashing
import JSON
import NodeKit
import Testing

extension InstalledLibraries {
    /// Libraries made of a good one by damage, all in one folder: each is refused with its reason, and the program goes on.
    @Suite struct RefusalTests {
        private let bench: Workbench

        init() throws { bench = try #require(Workbench.current) }

        @Test func damagedLibrariesAreRefusedAndTheOthersLoaded() async throws {
            let damage = try Damage(of: bench)
            try damage.all()
            let list = try await bench.graphrun("nodes", "list", "--nodes", damage.folder, "--json")
            #expect(list.status == 0, "\(list.notes)")
            var reasons: [String: String] = [:]
            for entry in try list.json().arrayValue ?? [] where entry["loaded"] == .bool(false) {
                reasons[entry["module"]?.stringValue ?? ""] = entry["refused"]?.stringValue
            }
            for (name, reason) in damage.expected {
                #expect(reasons[name]?.contains(reason) == true, "\(name): \(reasons[name] ?? "loaded")")
            }
            #expect(Set(reasons.keys) == Set(damage.expected.keys))

            // A run says all of it and does its work.
            let workflow = try bench.file(
                "small.json", "{\"1\": {\"class_type\": \"Caption\", \"inputs\": {\"text\": \"hello\"}}}")
            let ended = try await bench.graphrun(workflow, "--nodes", damage.folder, "--output", bench.path)
            #expect(ended.status == 0 && ended.output == "hello\n", "\(ended.notes)")
            for name in damage.expected.keys {
                #expect(ended.notes.contains("warning: the nodes of \(name) are not loaded: "), "\(name)")
            }
            #expect(!ended.notes.contains("the nodes of Darkroom are not loaded"))
        }

        @Test func aNodeOfTwoLibrariesIsTakenFromTheFirst() async throws {
            let damage = try Damage(of: bench)
            try damage.add("Twin", damage.library)
            let ended = try await bench.graphrun("nodes", "list", "--nodes", damage.folder)
            #expect(
                ended.notes.contains("node \"Brighter\" is left out: pack Brighter has one of that name"),
                "\(ended.notes)")
            #expect(ended.output.contains("Twin: loaded"))
        }

        @Test func aFolderThatEverybodyCanWriteIsRefused() async throws {
            let damage = try Damage(of: bench)
            try damage.add("Fine", damage.library)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: damage.folder)
            let ended = try await bench.graphrun("nodes", "list", "--nodes", damage.folder)
            #expect(ended.status == 0)
            #expect(ended.notes.contains("everybody can write into"))
            #expect(!ended.output.contains("Fine"))
            let missing = try await bench.graphrun("nodes", "list", "--nodes", bench.path + "/nowhere")
            #expect(missing.status == 0 && missing.notes.contains("there is no such folder"))
        }
    }
}

/// A folder of copies of the library `Brighter` under other names.
private final class Damage {
    let folder: String
    let library: [UInt8]
    private let manifest: JSONObject
    private(set) var expected: [String: String] = [:]

    init(of bench: Workbench) throws {
        folder = bench.path + "/damaged-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        let text = try String(contentsOfFile: bench.nodes + "/Brighter.nodes.json", encoding: .utf8)
        manifest = try #require(JSON(parsing: text).objectValue)
        let name = try #require(manifest["library"]?.stringValue)
        library = [UInt8](try Data(contentsOf: URL(fileURLWithPath: bench.nodes + "/" + name)))
    }

    /// Installs `bytes` as a module of that name, with a manifest that fits unless `change` makes it another.
    func add(
        _ module: String, _ bytes: [UInt8]?, _ reason: String? = nil, change: (inout JSONObject) -> Void = { _ in }
    ) throws {
        var manifest = manifest
        manifest["module"] = .string(module)
        manifest["library"] = .string(module + ".so")
        if let bytes {
            manifest["sha256"] = .string(SHA256.digest(bytes).description)
            try write(bytes, module + ".so")
        }
        change(&manifest)
        try write(Array(JSON.object(manifest).text().utf8), module + ".nodes.json")
        expected[module] = reason
    }

    func all() throws {
        let layout = NodeKitVersion.current.layout
        var flipped = library
        flipped[flipped.count / 2] ^= 1
        try add("Changed", flipped, "is not what was installed") { [manifest] in $0["sha256"] = manifest["sha256"] }
        try add("Half", Array(library.prefix(library.count / 2)), "it is truncated")
        try add("Tiny", Array(library.prefix(20)), "it is truncated")
        try add("Text", Array("#!/bin/sh\n".utf8), "it is not a shared library")
        try add("Empty", [], "it is not a shared library")
        try add("Program", [UInt8](Data(contentsOf: URL(fileURLWithPath: "/bin/true"))), "it cannot be loaded")
        try add("OldVersion", library, "it was built for NodeKit 0.9.0, this program has NodeKit") {
            $0["nodekit"] = .string("0.9.0")
        }
        try add("OtherCompiler", library, "it was built with Swift 6.2.0, this program with Swift") {
            $0["compiler"] = .string("Swift 60200, Clang 17.0.0")
        }
        let otherLayout = String(layout.reversed())
        try add("OtherLayout", library, "it was built for another build of NodeKit") {
            $0["layout"] = .string(otherLayout)
        }
        try add("Lying", replacing(layout, otherLayout), "although the manifest says otherwise")
        try add(
            "NoText",
            replacing(
                "NodeKit \(NodeKitVersion.current.number); layout", "NodeKat \(NodeKitVersion.current.number); layout"),
            "expected \"NodeKit")
        try add("NoFunction", replacing("graphrun_nodes_pack\0", "graphrun_nodes_puck\0"), "it has no C function")
        try add("NoSymbol", replacing("10handedOver", "10handedOvex"), "undefined symbol")
        try add("OtherNodes", library, "the manifest lists Brighter, More") {
            $0["nodes"] = .array([.string("Brighter"), .string("More")])
        }
        try add("Missing", nil, "No such file or directory")
        try add("Outside", library, "expected a file name without a folder") {
            $0["library"] = .string("../Outside.so")
        }
        try add("Future", library, "the manifest has format 2") { $0["format"] = .int(2) }
        try add("NoDigest", library, "the manifest has no text \"sha256\"") { $0["sha256"] = nil }
        try add("Renamed", library, "is the manifest of a module") { $0["module"] = .string("Brighter") }
        try write(Array("{\"module\": ".utf8), "Unfinished.nodes.json")
        expected["Unfinished"] = "is not JSON"
        try add("Writable", library, "can be written by everybody")
        chmod(folder + "/Writable.so", 0o646)
        try add("WritableList", library, "can be written by everybody")
        chmod(folder + "/WritableList.nodes.json", 0o666)
        try add("Linked", nil, "is a symbolic link")
        symlink(folder + "/Lying.so", folder + "/Linked.so")
        try add("Piped", nil, "is not a regular file")
        mkfifo(folder + "/Piped.so", 0o600)
        try add("Folder", nil, "is not a regular file")
        mkdir(folder + "/Folder.so", 0o755)
        if getuid() != 0 {
            try add("Unreadable", library, "Permission denied")
            chmod(folder + "/Unreadable.so", 0)
        }
        // Not listed, so not looked at.
        try write(Array("not a library".utf8), "Unlisted.so")
    }

    /// The library with a text in it exchanged for one of the same length.
    private func replacing(_ old: String, _ new: String) throws -> [UInt8] {
        var data = Data(library)
        try #require(old.utf8.count == new.utf8.count && data.range(of: Data(old.utf8)) != nil, "\(old)")
        var start = data.startIndex
        while let range = data.range(of: Data(old.utf8), in: start..<data.endIndex) {
            data.replaceSubrange(range, with: Data(new.utf8))
            start = range.upperBound
        }
        return [UInt8](data)
    }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
        chmod(folder + "/" + name, 0o644)
    }
}
