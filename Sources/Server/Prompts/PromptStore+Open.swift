import Foundation
import GRDB
import Glibc

/// Where stores are: `graphrun.sqlite` in the user folder; servers that use the same folder at the same time have
/// `graphrun-2.sqlite`, `graphrun-3.sqlite`, …
extension PromptStore {
    private static let mostServers = 64

    private static func path(_ options: ServeOptions, _ number: Int) -> String {
        options.userFolder + "/graphrun" + (number == 1 ? "" : "-\(number)")
    }

    /// Opens a store in the user folder that no other server uses.
    ///
    /// A damaged file is put aside. Where nothing can be written the store is in memory.
    /// - Throws: ``ServeError`` when too many servers use the folder.
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
        for number in 1...mostServers {
            let path = path(options, number)
            switch StoreLock.take(path + ".lock") {
            case .used: continue
            case .impossible:
                log.note("warning: \(folder) cannot be written to: queue and history end with the server")
                return try PromptStore(DatabaseQueue(), lock: nil, options: options)
            case .taken(let lock):
                if number > 1 {
                    log.note("another server uses \(folder); the queue and history of this one are in \(path).sqlite")
                }
                return try open(path + ".sqlite", lock, options, log)
            }
        }
        throw ServeError(
            "\(folder) is used by \(mostServers) other servers; give this one a folder of its own: --user-directory DIR"
        )
    }

    private static func open(
        _ path: String, _ lock: StoreLock, _ options: ServeOptions, _ log: ServerLog
    ) throws -> PromptStore {
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

    /// Takes over what servers have left that used the folder beside another one, and do not any more.
    func adoptLeftPrompts(_ options: ServeOptions, _ log: ServerLog) async {
        for number in 1...Self.mostServers {
            let path = Self.path(options, number)
            guard FileManager.default.fileExists(atPath: path + ".sqlite"),
                case .taken(let lock) = StoreLock.take(path + ".lock")
            else { continue }
            do {
                let other = try Self.open(path + ".sqlite", lock, options, log)
                defer { other.close() }
                let left = try await other.left()
                for prompt in left.prompts {
                    // Known already if an earlier server was killed between these two lines.
                    _ = try await add(prompt, nextNumber: left.nextNumber)
                    try await other.remove([prompt.id])
                }
            } catch {
                log.error("what another server has left in \(path).sqlite cannot be taken over: \(error)")
            }
        }
    }
}
