import GRDB

/// Announcements that are to be sent, in the same file as the history that they tell of.
extension PromptStore {
    static func makeAnnouncementTable(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS announcements(
                    sequence INTEGER PRIMARY KEY AUTOINCREMENT, delivery TEXT NOT NULL, url TEXT NOT NULL,
                    body TEXT NOT NULL, UNIQUE(delivery, url));
                """)
    }

    /// Keeps announcements; in the transaction of the history entry.
    static func add(_ announcements: [Announcement], _ database: Database) throws {
        for announcement in announcements {
            try database.execute(
                sql: "INSERT OR IGNORE INTO announcements(delivery, url, body) VALUES (?, ?, ?)",
                arguments: [announcement.delivery, announcement.url, announcement.body])
        }
    }

    /// All that have been neither delivered nor given up, oldest first.
    func announcements() async throws -> [Announcement] {
        try await database.read { database -> [Announcement] in
            try Row.fetchAll(database, sql: "SELECT delivery, url, body FROM announcements ORDER BY sequence").map {
                Announcement(delivery: $0["delivery"], url: $0["url"], body: $0["body"])
            }
        }
    }

    func remove(_ announcement: Announcement) async throws {
        try await database.write { database in
            try database.execute(
                sql: "DELETE FROM announcements WHERE delivery = ? AND url = ?",
                arguments: [announcement.delivery, announcement.url])
        }
    }
}
