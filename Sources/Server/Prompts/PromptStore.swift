import GRDB
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
    private let lock: Mutex<StoreLock?>

    init(_ database: DatabaseQueue, lock: StoreLock?, options: ServeOptions) throws {
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
        lock.withLock { $0 = nil }
    }

    /// Whether what is written now will be found again: the folder may have been removed, or exchanged.
    private var isInPlace: Bool { lock.withLock { $0?.isInPlace ?? true } }

    private static func makeTables(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS queue(
                    sequence INTEGER PRIMARY KEY AUTOINCREMENT, prompt_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
                    attempts INTEGER NOT NULL DEFAULT 0);
                CREATE TABLE IF NOT EXISTS history(
                    sequence INTEGER PRIMARY KEY AUTOINCREMENT, prompt_id TEXT NOT NULL UNIQUE, number REAL NOT NULL,
                    bytes INTEGER NOT NULL, record TEXT NOT NULL);
                CREATE TABLE IF NOT EXISTS counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL);
                """)
        try makeAnnouncementTable(database)
    }

    // MARK: Queue

    /// Keeps an accepted prompt.
    ///
    /// - Parameter nextNumber: what the next server begins to count at.
    /// - Returns: its sequence number; `nil` when there is a prompt of this id, waiting or in the history.
    func add(_ prompt: QueuedPrompt, nextNumber: Int64) async throws -> Int64? {
        var members: JSONObject = [
            "number": prompt.number, "prompt": prompt.prompt, "extra_data": .object(prompt.extraData),
            "outputs": .array(prompt.outputs.map { .string($0) }),
        ]
        if let targets = prompt.targets { members["targets"] = .array(targets.map { .string($0) }) }
        let body = JSON.object(members).text(.compact)
        let id = prompt.id
        guard isInPlace else { throw ServeError("the folder of the queue was removed; start the server again") }
        return try await database.write { database -> Int64? in
            let known = try Bool.fetchOne(
                database, sql: "SELECT EXISTS(SELECT 1 FROM history WHERE prompt_id = ?)", arguments: [id])
            if known == true { return nil }
            try database.execute(
                sql: "INSERT OR IGNORE INTO queue(prompt_id, body) VALUES (?, ?)", arguments: [id, body])
            guard database.changesCount > 0 else { return nil }
            let sequence = database.lastInsertedRowID
            try database.execute(
                sql: """
                    INSERT INTO counters(name, value) VALUES ('number', ?)
                    ON CONFLICT(name) DO UPDATE SET value = MAX(value, excluded.value)
                    """, arguments: [nextNumber])
            return sequence
        }
    }

    /// What an earlier process left, in the order of arrival, and where its counter stood.
    func left() async throws -> (prompts: [QueuedPrompt], nextNumber: Int64) {
        try await database.read { database -> (prompts: [QueuedPrompt], nextNumber: Int64) in
            let rows = try Row.fetchAll(
                database, sql: "SELECT sequence, prompt_id, body, attempts FROM queue ORDER BY sequence")
            let prompts = rows.compactMap { row -> QueuedPrompt? in
                let text: String = row["body"]
                guard let body = try? JSON(parsing: text), let prompt = body["prompt"] else { return nil }
                func list(_ name: String) -> [String]? { body[name]?.arrayValue?.compactMap(\.stringValue) }
                return QueuedPrompt(
                    number: body["number"] ?? .int(0), sequence: row["sequence"], id: row["prompt_id"], prompt: prompt,
                    extraData: body["extra_data"]?.objectValue ?? JSONObject(), targets: list("targets"),
                    outputs: list("outputs") ?? [], attempts: row["attempts"], byteCount: text.utf8.count)
            }
            let next = try Int64.fetchOne(database, sql: "SELECT value FROM counters WHERE name = 'number'") ?? 0
            return (prompts, max(0, next))
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
