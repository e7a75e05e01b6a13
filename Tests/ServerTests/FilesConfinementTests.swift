import Dispatch
import Glibc
import Testing

@testable import Server

/// A folder tree with everything that names and links can do, and secrets around it.
final class TrapFolder: Sendable {
    let base: String
    var root: String { base + "/root" }
    var folder: ConfinedFolder { ConfinedFolder(root) }

    static let secret = "outside"

    init() throws {
        var template = Array("/tmp/graphrun-trap-XXXXXX".utf8CString)
        base = template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress, let made = mkdtemp(start) else { return "" }
            return String(cString: made)
        }
        try #require(!base.isEmpty)
        for path in ["/root", "/root/a", "/root/a/b", "/elsewhere", "/elsewhere/deep", "/root2"] {
            try #require(mkdir(base + path, 0o755) == 0)
        }
        for path in ["/root/x", "/root/a/x", "/root/a/b/x", "/root/a/ü [input] (1).png", "/root/C:"] {
            try write(path, "inside")
        }
        for path in ["/x", "/elsewhere/x", "/elsewhere/deep/x", "/root2/x"] { try write(path, Self.secret) }
        let links = [
            ("b/x", "/root/a/link-in"), (base + "/root/a/x", "/root/absolute-in"), ("a", "/root/folder-in"),
            ("../x", "/root/out"), (base + "/elsewhere/x", "/root/absolute-out"), ("../elsewhere", "/root/folder-out"),
            ("/", "/root/top"), ("../root2", "/root/sibling"), ("nowhere", "/root/broken"), ("loop", "/root/loop"),
            ("../../root/a", "/root/a/back"), ("/proc/self", "/root/proc"),
        ]
        for (target, path) in links { try #require(symlink(target, base + path) == 0) }
        try #require(mkfifo(base + "/root/pipe", 0o644) == 0)
    }

    func write(_ path: String, _ text: String) throws {
        let file = open(base + path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        try #require(file >= 0)
        defer { close(file) }
        try #require(
            text.utf8CString.withUnsafeBytes { Glibc.write(file, $0.baseAddress, text.utf8.count) } == text.utf8.count)
    }

    func read(_ path: String) -> String? {
        let file = open(base + path, O_RDONLY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    /// Every file outside the root still says what it said, and nothing was added.
    func isUntouched() -> Bool {
        ["/x", "/elsewhere/x", "/elsewhere/deep/x", "/root2/x"].allSatisfy { read($0) == Self.secret }
            && names("") == ["elsewhere", "root", "root2", "x"] && names("/elsewhere") == ["deep", "x"]
            && names("/elsewhere/deep") == ["x"] && names("/root2") == ["x"]
    }

    func names(_ path: String) -> [String] {
        guard let stream = opendir(base + path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    deinit { removeTree(base) }
}

func removeTree(_ path: String) {
    var record = stat()
    guard lstat(path, &record) == 0 else { return }
    if record.st_mode & S_IFMT == S_IFDIR, let stream = opendir(path) {
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: entry.pointee.d_name) { field in
                    field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        closedir(stream)
        for name in names where name != "." && name != ".." { removeTree(path + "/" + name) }
        rmdir(path)
    } else {
        unlink(path)
    }
}

@Suite struct FilesConfinementTests {
    /// That something fails, and how.
    private func expect(
        _ code: FolderFault.Code, _ body: () throws -> Void, at location: SourceLocation = #_sourceLocation
    ) {
        do {
            try body()
            Issue.record("expected \(code)", sourceLocation: location)
        } catch {
            let found = (error as? FolderFault)?.code
            #expect(found == code, "\(error)", sourceLocation: location)
        }
    }

    @Test func namesAreTakenApart() throws {
        #expect(try ConfinedName("a/b.png").parts == ["a", "b.png"])
        #expect(try ConfinedName("a//./b/").parts == ["a", "b"])
        #expect(try ConfinedName("a/../b").parts == ["b"])
        #expect(try ConfinedName("").isRoot)
        #expect(try ConfinedName("ü [x] (1) 字.png").last == "ü [x] (1) 字.png")
        #expect(try ConfinedName("a\\b").parts == ["a\\b"])
        #expect(try ConfinedName("..a/b..").parts == ["..a", "b.."])
        #expect(
            try ConfinedName("a/\u{301}b").parts.map { Array($0.utf8) } == [Array("a".utf8), Array("\u{301}b".utf8)])
    }

    @Test(arguments: [
        ("/etc/passwd", FolderFault.Code.invalidName), ("\\\\server\\share", .invalidName), ("C:/x", .invalidName),
        ("c:x", .invalidName), ("a\0b", .invalidName), ("a\nb", .invalidName), ("a\u{7f}", .invalidName),
        ("a\u{9f}", .invalidName), ("..", .outside), ("a/../..", .outside), ("../x", .outside), ("..\\x", .outside),
        ("a\\..\\..\\x", .outside), ("a\\..", .outside),
        // One character for Swift, a slash and another letter for the system.
        ("../\u{301}x", .outside), ("/\u{301}x", .invalidName), ("a/..\u{2F}..\u{2F}\u{200D}x", .outside),
        ("\\\u{301}x", .invalidName), ("..\\\u{301}x", .outside),
    ])
    func namesThatAreRefused(name: String, expected: FolderFault.Code) {
        expect(expected) { _ = try ConfinedName(name) }
    }

    @Test func overlongNamesAreRefused() throws {
        expect(.invalidName) { _ = try ConfinedName(String(repeating: "x", count: 256)) }
        expect(.invalidName) { _ = try ConfinedName(String(repeating: "a/", count: 2001)) }
        #expect(try ConfinedName(String(repeating: "x", count: 255)).parts.count == 1)
        let folder = try TrapFolder().folder
        expect(.missing) { _ = try folder.open(ConfinedName(String(repeating: "ü", count: 127))) }
    }

    @Test(arguments: [
        "x", "a/x", "a/b/x", "a/link-in", "absolute-in", "folder-in/x", "folder-in/b/x", "a/back/x", "a/back/back/b/x",
        "a/ü [input] (1).png",
    ])
    func whatIsInsideIsRead(name: String) throws {
        let trap = try TrapFolder()
        let file = try trap.folder.open(ConfinedName(name))
        #expect(try file.readAll(limit: 100) == Array("inside".utf8))
    }

    @Test(arguments: [
        ("out", FolderFault.Code.outside), ("absolute-out", .outside), ("folder-out/x", .outside),
        ("folder-out/deep/x", .outside), ("top/etc/passwd", .outside), ("sibling/x", .outside),
        ("proc/environ", .outside), ("proc/root/etc/passwd", .outside), ("broken", .missing), ("loop", .missing),
        ("x/y", .missing), ("nothing", .missing), ("a", .wrongKind), ("pipe", .wrongKind),
    ])
    func whatIsNotInsideIsNot(name: String, expected: FolderFault.Code) throws {
        let trap = try TrapFolder()
        expect(expected) { _ = try trap.folder.open(ConfinedName(name)) }
    }

    /// Names made of all that is dangerous, in any order: what opens is inside, what is written stays inside.
    @Test(arguments: 0..<8)
    func randomNamesNeverLeave(seed: UInt64) throws {
        let trap = try TrapFolder()
        var random = SplitMix(state: seed)
        let pieces = [
            "..", ".", "/", "/", "/", "a", "b", "x", "out", "folder-out", "folder-in", "top", "sibling", "back", "deep",
            "proc", "root", "cwd", "fd", "\\", "%2e%2e", "%2f", "\0", "C:", "~", "ü", " ", "loop", "broken", "pipe",
            "elsewhere", "root2", "etc", "passwd", "\u{301}", "\u{200D}", "\u{FE0F}",
        ]
        var opened = 0
        for round in 0..<1500 {
            let text = (0..<Int.random(in: 1...7, using: &random))
                .map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            guard let name = try? ConfinedName(text) else { continue }
            if let file = try? trap.folder.open(name) {
                opened += 1
                let content = try String(decoding: file.readAll(limit: 1 << 20), as: UTF8.self)
                #expect(content == "inside" || content == "new", "\(text.debugDescription) gave \(content)")
            }
            if round % 3 == 0 {
                try? trap.folder.write("new".utf8, to: name, replacing: round % 2 == 0)
            } else if round % 7 == 0 {
                try? trap.folder.move(name, to: ConfinedName("moved/\(round)"), replacing: false)
            } else if round % 11 == 0 {
                try? trap.folder.remove(name)
            }
            _ = try? trap.folder.entries(of: name, recursive: true)
        }
        #expect(opened > 20)
        #expect(trap.isUntouched())
        // Nothing unfinished is left.
        #expect(!trap.names("/root").contains { $0.hasPrefix(".graphrun-") })
    }

    /// A folder that turns into a link to elsewhere and back while its files are opened and written.
    @Test func exchangedFoldersAreNoWayOut() throws {
        let trap = try TrapFolder()
        let (here, away, link) = (trap.root + "/a", trap.root + "/kept", trap.root + "/swap")
        try #require(symlink("../elsewhere", link) == 0)
        let isDone = DispatchSemaphore(value: 0)
        let hasEnded = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            while isDone.wait(timeout: .now()) == .timedOut {
                rename(here, away)
                rename(link, here)
                rename(here, link)
                rename(away, here)
            }
            hasEnded.signal()
        }
        var opened = 0
        for round in 0..<4000 {
            if let file = try? trap.folder.open(ConfinedName("a/x")) {
                opened += 1
                #expect(try file.readAll(limit: 100) != Array(TrapFolder.secret.utf8))
            }
            try? trap.folder.write("new".utf8, to: ConfinedName("a/y\(round)"), replacing: true)
        }
        isDone.signal()
        hasEnded.wait()
        #expect(opened > 0)
        #expect(trap.isUntouched())
    }

    @Test func filesAreWrittenWhole() throws {
        let trap = try TrapFolder()
        try trap.folder.write("one".utf8, to: ConfinedName("new/deep/file"), replacing: false)
        #expect(trap.read("/root/new/deep/file") == "one")
        expect(.exists) { try trap.folder.write("two".utf8, to: ConfinedName("new/deep/file"), replacing: false) }
        try trap.folder.write("two".utf8, to: ConfinedName("new/deep/file"), replacing: true)
        #expect(trap.read("/root/new/deep/file") == "two")
        expect(.wrongKind) { try trap.folder.write("x".utf8, to: ConfinedName("a"), replacing: true) }
        expect(.invalidName) { try trap.folder.write("x".utf8, to: .root, replacing: true) }
        // A link is replaced itself.
        try trap.folder.write("new".utf8, to: ConfinedName("broken"), replacing: true)
        #expect(trap.read("/root/broken") == "new")
        #expect(!trap.names("/root").contains("nowhere"))
        expect(.outside) { try trap.folder.write("x".utf8, to: ConfinedName("folder-out/y"), replacing: true) }
        expect(.outside) { _ = try trap.folder.makeFolder(ConfinedName("folder-out/new")) }
        // An unfinished file vanishes.
        _ = try { try trap.folder.begin().append("half".utf8) }()
        #expect(!trap.names("/root").contains { $0.hasPrefix(".graphrun-") })
        #expect(trap.isUntouched())
    }

    @Test func filesAreMovedAndRemoved() throws {
        let trap = try TrapFolder()
        try trap.folder.move(ConfinedName("x"), to: ConfinedName("n/y"), replacing: false)
        #expect(trap.read("/root/n/y") == "inside" && trap.read("/root/x") == nil)
        expect(.exists) { try trap.folder.move(ConfinedName("a/x"), to: ConfinedName("n/y"), replacing: false) }
        #expect(trap.read("/root/a/x") == "inside")
        try trap.folder.move(ConfinedName("a"), to: ConfinedName("n/a"), replacing: false)
        #expect(trap.read("/root/n/a/b/x") == "inside")
        expect(.outside) { try trap.folder.move(ConfinedName("out"), to: ConfinedName("z"), replacing: true) }
        try trap.folder.remove(ConfinedName("n/y"))
        expect(.missing) { try trap.folder.remove(ConfinedName("n/y")) }
        expect(.wrongKind) { try trap.folder.remove(ConfinedName("n")) }
        expect(.outside) { try trap.folder.remove(ConfinedName("folder-out/x")) }
        #expect(trap.isUntouched())
    }

    @Test func listingsStayInside() throws {
        let trap = try TrapFolder()
        let all = try trap.folder.entries(of: .root, recursive: true)
        let files = all.filter { $0.status.kind == .file }.map(\.path)
        #expect(files.contains("a/b/x") && files.contains("absolute-in") && files.contains("folder-in/x"))
        #expect(!all.contains { ["out", "absolute-out", "folder-out", "top", "sibling", "proc"].contains($0.path) })
        #expect(all.map(\.path) == all.map(\.path).sorted())
        expect(.outside) { _ = try trap.folder.entries(of: ConfinedName("folder-out")) }
        expect(.wrongKind) { _ = try trap.folder.entries(of: ConfinedName("x")) }
    }
}

/// Random numbers that are the same in every run (Steele, Lea, Flood: SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
