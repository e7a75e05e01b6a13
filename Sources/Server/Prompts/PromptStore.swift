import Foundation
import GRDB
import Glibc
import JSON
import Synchronization

/// Queue and history on disk: what was accepted survives the process, and is forgotten only together with the history
/// entry that says how it ended.
final class PromptStore: Sendable {
    let database: DatabaseQueue
    private let historyCount: Int
    private let historyBytes: Int
    /// Entries of the history and their bytes: counting them anew for every prompt would read the whole file.
    private let totals = Mutex((count: 0, bytes: 0))
    /// Held until the store is closed; `nil` for a store in memory.
    private let lock: Mutex<Int32?>

    private init(_ database: DatabaseQueue, lock: Int32?, options: ServeOptions) throws {
        self.database = database
        self.lock = Mutex(lock)
        historyCount = options.historyCount
        historyBytes = options.historyBytes
        try database.write { database in
            try Self.makeTables(database)
            try count(database)
        }
    }

    deinit { close() }

    /// Ends the use of the folder: another server may have it. What is asked for afterwards throws.
    func close() {
        try? database.close()
        let descriptor = lock.withLock { lock in
            defer { lock = nil }
            return lock
        }
        if let descriptor { _ = Glibc.close(descriptor) }
    }

    /// Opens the store in the user folder.
    ///
    /// A damaged file is put aside. Where nothing can be written the store is in memory.
    /// - Throws: ``ServeError`` when another server uses the folder.
    static func open(_ options: ServeOptions, _ log: ServerLog) throws -> PromptStore {
        let folder = options.userFolder
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            log.note(
                "warning: \(folder) cannot be made (\(error.localizedDescription)): queue and history end with the server"
            )
            return try PromptStore(DatabaseQueue(), lock: nil, options: options)
        }
        let lock = unsafe Glibc.open(folder + "/graphrun.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            log.note("warning: \(folder) cannot be written to: queue and history end with the server")
            return try PromptStore(DatabaseQueue(), lock: nil, options: options)
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            _ = Glibc.close(lock)
            throw ServeError(
                "\(folder) is used by another server; give this one a folder of its own: --user-directory DIR")
        }
        let path = folder + "/graphrun.sqlite"
        do {
            return try PromptStore(database(path), lock: lock, options: options)
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
        {
            let aside = "\(path).damaged-\(milliseconds())"
            for ending in ["", "-wal", "-shm"] { _ = unsafe rename(path + ending, aside + ending) }
            log.error("\(path) is damaged; it was renamed to \(aside), and queue and history begin anew")
            return try PromptStore(database(path), lock: lock, options: options)
        }
    }

    private static func database(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        // Threads of its own: those of the default class may all be taken by what computes.
        configuration.qos = .userInteractive
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    private static func makeTables(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS queue(
                    sequence INTEGER PRIMARY KEY AUTOINCREMENT, prompt_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
                    attempts INTEGER NOT NULL DEFAULT 0);
                CREATE TABLE IF NOT EXISTS history(
                    sequence INTEGER PRIMARY KEY AUTOINCREMENT, prompt_id TEXT NOT NULL UNIQUE, number REAL NOT NULL,
                    bytes INTEGER NOT NULL, record TEXT NOT NULL);
                """)
        try makeAnnouncementTable(database)
    }

    // MARK: Queue

    /// Keeps an accepted prompt.
    ///
    /// - Returns: its sequence number; `nil` when there is a prompt of this id, waiting or in the history.
    func add(_ prompt: QueuedPrompt) async throws -> Int64? {
        var members: JSONObject = [
            "number": prompt.number, "prompt": prompt.prompt, "extra_data": .object(prompt.extraData),
            "outputs": .array(prompt.outputs.map { .string($0) }),
        ]
        if let targets = prompt.targets { members["targets"] = .array(targets.map { .string($0) }) }
        let body = JSON.object(members).text(.compact)
        let id = prompt.id
        return try await database.write { database -> Int64? in
            let known = try Bool.fetchOne(
                database, sql: "SELECT EXISTS(SELECT 1 FROM history WHERE prompt_id = ?)", arguments: [id])
            if known == true { return nil }
            try database.execute(
                sql: "INSERT OR IGNORE INTO queue(prompt_id, body) VALUES (?, ?)", arguments: [id, body])
            return database.changesCount == 0 ? nil : database.lastInsertedRowID
        }
    }

    /// What an earlier process left, in the order of arrival, and the largest number that was given.
    func left() async throws -> (prompts: [QueuedPrompt], largestNumber: Double) {
        try await database.read { database -> (prompts: [QueuedPrompt], largestNumber: Double) in
            let rows = try Row.fetchAll(
                database, sql: "SELECT sequence, prompt_id, body, attempts FROM queue ORDER BY sequence")
            let prompts = rows.compactMap { row -> QueuedPrompt? in
                let text: String = row["body"]
                guard let body = try? JSON(parsing: text), let prompt = body["prompt"] else { return nil }
                func list(_ name: String) -> [String]? { body[name]?.arrayValue?.compactMap(\.stringValue) }
                return QueuedPrompt(
                    number: body["number"] ?? .int(0), sequence: row["sequence"], id: row["prompt_id"], prompt: prompt,
                    extraData: body["extra_data"]?.objectValue ?? JSONObject(), targets: list("targets"),
                    outputs: list("outputs") ?? [], attempts: row["attempts"])
            }
            let past = try Double.fetchOne(database, sql: "SELECT MAX(ABS(number)) FROM history") ?? -1
            return (prompts, prompts.reduce(past) { max($0, abs($1.order)) })
        }
    }

    /// A prompt begins to run.
    func begin(_ id: String) async throws {
        try await database.write { database in
            try database.execute(sql: "UPDATE queue SET attempts = attempts + 1 WHERE prompt_id = ?", arguments: [id])
        }
    }

    /// Forgets prompts that wait.
    func remove(_ ids: [String]) async throws {
        try await database.write { database in
            for id in ids { try database.execute(sql: "DELETE FROM queue WHERE prompt_id = ?", arguments: [id]) }
        }
    }

    /// A prompt has ended: in one transaction it leaves the queue and enters the history, whose oldest entries go.
    func finish(_ prompt: QueuedPrompt, _ record: JSONObject, _ announcements: [Announcement]) async throws {
        let text = JSON.object(record).text(.compact)
        let (id, number) = (prompt.id, prompt.order)
        do {
            try await database.write { [self] database in
                try database.execute(sql: "DELETE FROM queue WHERE prompt_id = ?", arguments: [id])
                try remove(id, database)
                try database.execute(
                    sql: "INSERT INTO history(prompt_id, number, bytes, record) VALUES (?, ?, ?, ?)",
                    arguments: [id, number, text.utf8.count, text])
                totals.withLock { $0 = ($0.count + 1, $0.bytes + text.utf8.count) }
                try trim(database)
                try Self.add(announcements, database)
            }
        } catch {
            // The transaction was taken back, the totals were not.
            try? await database.write { [self] database in try count(database) }
            throw error
        }
    }

    // MARK: History

    private func count(_ database: Database) throws {
        let row = try Row.fetchOne(database, sql: "SELECT COUNT(*) AS n, IFNULL(SUM(bytes), 0) AS b FROM history")
        let (count, bytes): (Int, Int) = (row?["n"] ?? 0, row?["b"] ?? 0)
        totals.withLock { $0 = (count, bytes) }
    }

    /// Deletes one entry, if it is there.
    private func remove(_ id: String, _ database: Database) throws {
        let known = try Int.fetchOne(database, sql: "SELECT bytes FROM history WHERE prompt_id = ?", arguments: [id])
        guard let bytes = known else { return }
        try database.execute(sql: "DELETE FROM history WHERE prompt_id = ?", arguments: [id])
        totals.withLock { $0 = ($0.count - 1, $0.bytes - bytes) }
    }

    /// Deletes the oldest entries until the bounds are kept.
    private func trim(_ database: Database) throws {
        while true {
            let (count, bytes) = totals.withLock { $0 }
            guard count > historyCount || bytes > historyBytes,
                let oldest = try String.fetchOne(
                    database, sql: "SELECT prompt_id FROM history ORDER BY sequence LIMIT 1")
            else { return }
            try remove(oldest, database)
        }
    }

    /// One entry as JSON text.
    func record(_ id: String) async throws -> String? {
        try await database.read { database in
            try String.fetchOne(database, sql: "SELECT record FROM history WHERE prompt_id = ?", arguments: [id])
        }
    }

    /// The sequence numbers of the entries that a client asks for, oldest first (engine-semantics.md §2).
    ///
    /// - Parameter offset: below 0 means the last `count`.
    func sequences(count: Int?, offset: Int) async throws -> [Int64] {
        try await database.read { database -> [Int64] in
            if offset < 0, let count {
                let last = try Int64.fetchAll(
                    database, sql: "SELECT sequence FROM history ORDER BY sequence DESC LIMIT ?", arguments: [count])
                return last.reversed()
            }
            return try Int64.fetchAll(
                database, sql: "SELECT sequence FROM history ORDER BY sequence LIMIT ? OFFSET ?",
                arguments: [count ?? -1, max(0, offset)])
        }
    }

    /// Entries as `"id": record` texts.
    func members(_ sequences: ArraySlice<Int64>) async throws -> [String] {
        let wanted = Array(sequences)
        return try await database.read { database -> [String] in
            let statement = try database.makeStatement(
                sql: "SELECT prompt_id, record FROM history WHERE sequence = ?")
            return try wanted.compactMap { sequence -> String? in
                guard let row = try Row.fetchOne(statement, arguments: [sequence]) else { return nil }
                let (id, record): (String, String) = (row["prompt_id"], row["record"])
                return JSON.string(id).text(.compact) + ": " + record
            }
        }
    }

    func removeHistory(_ ids: [String]?) async throws {
        try await database.write { [self] database in
            if let ids {
                for id in ids { try remove(id, database) }
            } else {
                try database.execute(sql: "DELETE FROM history")
                try count(database)
            }
        }
    }

    /// Entries of the history, and their bytes.
    var historySize: (count: Int, bytes: Int) { totals.withLock { $0 } }
}
