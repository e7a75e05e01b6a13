import Foundation
import Hashing
import NodeKit
import Synchronization
import Testing

@testable import Engine

private final class Warnings: Sendable {
    private let texts = Mutex<[String]>([])
    func add(_ text: String) { texts.withLock { $0.append(text) } }
    var all: [String] { texts.withLock { $0 } }
}

private func owner(_ text: String) -> SHA256.Digest { SHA256.digest(text.utf8) }
private func record(_ number: Int, count: Int = 100) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
}

@Suite struct JournalFileTests {
    private let folder: TemporaryFolder
    private let path: String
    private let warnings = Warnings()
    init() throws {
        folder = TemporaryFolder()
        path = folder.path + "/a"
    }

    private func open(_ name: String = "me", byteLimit: Int = 1 << 30) throws -> JournalFile? {
        let warnings = warnings
        return try JournalFile.open(
            path, owner: owner(name),
            policy: JournalFile.Policy(seconds: 60, byteLimit: byteLimit) { warnings.add($0) })
    }

    /// Writes a journal with records of several sizes; returns them.
    private func written() throws -> [[UInt8]] {
        let records = [record(0), [], record(2, count: 1), record(3, count: 5000), record(4)]
        let journal = try #require(try open())
        records.forEach(journal.append)
        journal.close()
        return records
    }

    @Test func recordsComeBack() throws {
        let records = try written()
        let journal = try #require(try open())
        #expect(journal.count == records.count)
        for (index, expected) in records.enumerated() { #expect(journal.record(index) == expected) }
        #expect(journal.record(records.count) == nil && journal.record(-1) == nil)
        journal.append(record(9))
        #expect(journal.record(5) == record(9))
        journal.close()
        #expect(try open()?.count == 6)
        #expect(warnings.all.isEmpty)
    }

    /// What was appended is in the file at once, without any closing: a killed process does not close.
    @Test func recordsSurviveWithoutClosing() throws {
        let journal = try #require(try open())
        journal.append(record(1))
        let copy = folder.path + "/copy"
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        let other = try #require(
            try JournalFile.open(
                copy, owner: owner("me"), policy: JournalFile.Policy(seconds: 60, byteLimit: 1 << 20) { _ in }))
        #expect(other.count == 1 && other.record(0) == record(1))
    }

    /// A record that was not worth a write of its own is written within the time that was promised.
    @Test func pendingRecordsAreWrittenInTime() async throws {
        let journal = try #require(
            try JournalFile.open(
                path, owner: owner("me"), policy: JournalFile.Policy(seconds: 0.2, byteLimit: 1 << 30) { _ in }))
        for number in 0..<2000 { journal.append(record(number)) }
        let size = 64 + 2000 * 116
        for _ in 0..<100 where FileSystem.status(path)?.byteCount != size {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(FileSystem.status(path)?.byteCount == size)
    }

    @Test func anothersJournalIsEmptied() throws {
        _ = try written()
        let other = try #require(try open("someone else"))
        #expect(other.count == 0)
        other.append(record(1))
        other.close()
        #expect(try open()?.count == 0)
    }

    @Test func onlyOneHasIt() throws {
        let journal = try #require(try open())
        #expect(try open() == nil)
        journal.append(record(0))
        #expect(try open() == nil)
        journal.close()
        #expect(try open()?.count == 1)
    }

    @Test func discardingRemovesIt() throws {
        let journal = try #require(try open())
        journal.append(record(0))
        journal.discard()
        #expect(folder.files.isEmpty)
        // The node may still hold it.
        journal.append(record(1))
        journal.truncate(to: 0)
        #expect(journal.count == 0 && journal.record(0) == nil)
        #expect(folder.files.isEmpty)
    }

    @Test func truncatedJournalsGoOn() throws {
        let records = try written()
        let journal = try #require(try open())
        journal.truncate(to: 7)
        journal.truncate(to: -1)
        #expect(journal.count == 5)
        journal.truncate(to: 2)
        #expect(journal.count == 2 && journal.record(2) == nil)
        journal.append(record(8))
        journal.close()
        let again = try #require(try open())
        #expect((0..<3).map { again.record($0) } == [records[0], records[1], record(8)])
    }

    /// Cut anywhere: all records that are whole stay, nothing else does.
    @Test func tornFilesAreCutBackToWholeRecords() throws {
        let records = try written()
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        var ends = [64]
        for record in records { ends.append(ends[ends.count - 1] + 16 + record.count) }
        #expect(whole.count == ends.last)
        for size in Array(0..<300) + Array(stride(from: 300, to: whole.count, by: 37)) {
            try whole.prefix(size).write(to: URL(fileURLWithPath: path))
            let journal = try #require(try open())
            #expect(journal.count == ends.dropFirst().count { $0 <= size }, "cut to \(size)")
            journal.append(record(7))
            #expect(journal.record(journal.count - 1) == record(7))
            journal.close()
            #expect(try open()?.record(journal.count - 1) == record(7))
        }
    }

    /// Any changed byte drops its record and what follows; the records before it stay as they were.
    @Test func damagedRecordsAreDropped() throws {
        let records = try written()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var ends = [64]
        for record in records { ends.append(ends[ends.count - 1] + 16 + record.count) }
        for position in Array(0..<260) + Array(stride(from: 260, to: whole.count, by: 41)) {
            for change: UInt8 in [0x01, 0x80, 0xFF] {
                var bytes = whole
                bytes[position] ^= change
                try Data(bytes).write(to: URL(fileURLWithPath: path))
                let journal = try #require(try open())
                let expected = position < 64 ? 0 : ends.dropFirst().count { $0 <= position }
                #expect(journal.count == expected, "byte \(position) ^ \(change)")
                for index in 0..<journal.count { #expect(journal.record(index) == records[index]) }
            }
        }
    }

    /// Lengths that no file can have, and gaps that were never written.
    @Test(arguments: [UInt64.max, UInt64(Int.max), UInt64(Int.max) - 80, 1 << 40, 5000])
    func impossibleLengthsAreDamage(length: UInt64) throws {
        _ = try written()
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seek(toOffset: 64)
        try handle.write(contentsOf: (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) })
        try handle.truncate(atOffset: 1 << 33)
        try handle.close()
        #expect(try open()?.count == 0)
        #expect(FileSystem.status(path)?.byteCount == 64)
    }

    @Test func aJournalStopsAtItsLimit() throws {
        let journal = try #require(try open(byteLimit: 500))
        for number in 0..<10 { journal.append(record(number)) }
        #expect(journal.count == 3, "64 + 3 · 116 bytes fit")
        #expect(warnings.all.count == 1 && warnings.all.first?.contains("500 bytes") == true)
        journal.close()
        #expect(try open()?.record(2) == record(2))
    }

    /// A disk that is full in the middle of a record leaves whole ones.
    @Test func aFullDiskKeepsWhatWasWritten() async {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            let path = NSTemporaryDirectory() + "/graphrun-full-\(getpid())"
            defer { unlink(path) }
            let told = Mutex(0)
            let journal = try #require(
                try JournalFile.open(
                    path, owner: owner("me"),
                    policy: JournalFile.Policy(seconds: 60, byteLimit: 1 << 30) { _ in told.withLock { $0 += 1 } }))
            var limit = rlimit(rlim_cur: 10_000, rlim_max: 10_000)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            for number in 0..<20 {
                journal.append(record(number, count: 1000))
                usleep(20_000)
            }
            #expect(journal.count == 9 && told.withLock { $0 } == 1)
            journal.close()
            let again = try #require(
                try JournalFile.open(
                    path, owner: owner("me"), policy: JournalFile.Policy(seconds: 60, byteLimit: 1 << 30) { _ in }))
            #expect(again.count == 9 && again.record(8) == record(8, count: 1000))
        }
    }

    @Test func linksAndFoldersAreRefused() throws {
        try "precious".write(toFile: folder.path + "/target", atomically: true, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: folder.path + "/target")
        #expect(throws: FileError.self) { _ = try open() }
        #expect(try String(contentsOfFile: folder.path + "/target", encoding: .utf8) == "precious")
        try FileManager.default.removeItem(atPath: path)
        mkfifo(path, 0o600)
        #expect(throws: FileError.self) { _ = try open() }
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(throws: FileError.self) { _ = try open() }
    }
}

@Suite struct ResumeFolderTests {
    private let folder: TemporaryFolder
    private let warnings = Warnings()
    init() throws { folder = TemporaryFolder() }

    private func make(version: String = "1", _ limits: ResumeFolder.Limits = ResumeFolder.Limits()) -> ResumeFolder {
        ResumeFolder(path: folder.path + "/deep/resume", version: version, limits: limits)
    }
    private func opened(_ resume: ResumeFolder, _ key: String, _ name: String = "0-x-1") -> JournalFile? {
        let warnings = warnings
        return resume.journal(owner(key), name) { warnings.add($0) }
    }
    private func leave(_ resume: ResumeFolder, _ key: String, count: Int = 1000, age: TimeInterval = 0) throws {
        let journal = try #require(opened(resume, key))
        journal.append(record(0, count: count))
        journal.close()
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: journal.path)
    }

    @Test func nothingIsMadeBeforeItIsNeeded() {
        _ = make()
        #expect(folder.files.isEmpty)
    }

    @Test func keysNamesAndVersionsAreApart() throws {
        let resume = make()
        try leave(resume, "a")
        #expect(opened(resume, "a")?.count == 1)
        #expect(opened(resume, "b")?.count == 0)
        #expect(opened(resume, "a", "1-x-1")?.count == 0)
        #expect(opened(make(version: "2"), "a")?.count == 0)
        let mode = try FileManager.default.attributesOfItem(atPath: resume.path)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }

    @Test func oldJournalsGo() throws {
        let resume = make()
        try leave(resume, "old", age: 8 * 86400)
        try leave(resume, "new", age: 6 * 86400)
        try leave(resume, "used", age: 9 * 86400)
        let used = try #require(opened(resume, "used"))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -9 * 86400)], ofItemAtPath: used.path)
        try "mine".write(toFile: resume.path + "/notes.txt", atomically: true, encoding: .utf8)
        _ = opened(resume, "another")
        #expect(opened(resume, "old")?.count == 0)
        #expect(opened(resume, "new")?.count == 1)
        #expect(used.count == 1)
        used.close()
        #expect(opened(resume, "used")?.count == 1, "the one that was in use stayed")
        #expect(FileManager.default.fileExists(atPath: resume.path + "/notes.txt"))
    }

    @Test func theOldestGoFirstWhenThereAreTooMany() throws {
        let resume = make(ResumeFolder.Limits(byteLimit: 10_000))
        for number in 0..<6 { try leave(resume, "\(number)", age: TimeInterval(100 - number)) }
        let kept = (0..<6).map { number in
            FileManager.default.fileExists(atPath: resume.path + "/\(owner("\(number)"))-0-x-1.journal")
        }
        // Each has 1,080 bytes: of the five before the last, four fit into the half that is not the last one's.
        #expect(kept == [false, true, true, true, true, true])
        #expect(resume.statistics.byteCount <= 10_000)
        #expect(resume.removeAll().count == 5)
        #expect(resume.statistics.count == 0)
    }

    @Test func aFolderThatCannotBeMadeIsToldOnce() throws {
        try "x".write(toFile: folder.path + "/file", atomically: true, encoding: .utf8)
        let resume = ResumeFolder(path: folder.path + "/file/resume", version: "1")
        #expect(opened(resume, "a") == nil && opened(resume, "b") == nil)
        #expect(warnings.all.count == 1 && warnings.all.first?.contains("/file/resume") == true)
    }
}
