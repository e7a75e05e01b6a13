import Glibc
import Hashing
import Synchronization

/// Digests of files by their content (``FileDigest``), each computed once: remembered in the cache folder for as long as
/// the file's place on the disc, length and times are the same.
///
/// The path is left out, so that a file that is only moved on its disc keeps its digest. The time of the last change of
/// anything about the file, which no program can set, guards against another file that took its place.
public final class FileDigests: Sendable {
    private struct Identity: Hashable {
        var file: FileSystem.Identity
        var byteCount: Int
        var modified: Int
        var changed: Int

        var text: String { "\(file.device) \(file.number) \(byteCount) \(modified) \(changed)" }
    }

    private let folder: CacheFolder?
    private let known = Mutex<[Identity: String]>([:])

    /// - Parameter folder: `nil` remembers for the life of the process only.
    public init(_ folder: CacheFolder?) { self.folder = folder }

    /// A text that is the same for the same content wherever it lies, and another one for any other content.
    ///
    /// - Throws: ``FileError`` when the file cannot be read.
    public func digest(path: String) throws(FileError) -> String {
        guard let status = FileSystem.status(path) else { throw FileError(path, "cannot be read") }
        let identity = Identity(
            file: status.identity, byteCount: status.byteCount, modified: status.modified, changed: status.changed)
        if let digest = known.withLock({ $0[identity] }) ?? remembered(identity) {
            known.withLock { $0[identity] = digest }
            return digest
        }
        let digest = try FileDigest.digest(path: path)
        // A file that changes now may do so again without its times showing it: clocks of file systems are coarse.
        let age = Int(wallClockMilliseconds()) * 1_000_000 - max(status.modified, status.changed)
        guard age > 2_000_000_000 else { return digest }
        known.withLock { $0[identity] = digest }
        remember(identity, digest)
        return digest
    }

    /// One small file for each, so that processes need no lock between them.
    private func path(of identity: Identity) -> String? {
        folder.map { "\($0.digests)/\(identity.file.device)-\(identity.file.number)" }
    }

    private func remembered(_ identity: Identity) -> String? {
        guard let path = path(of: identity), let bytes = try? FileSystem.read(path, limit: 4096) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, lines[0] == identity.text, lines[2] == Self.check(identity.text, String(lines[1]))
        else {
            return nil
        }
        return String(lines[1])
    }

    private func remember(_ identity: Identity, _ digest: String) {
        guard let folder, let path = path(of: identity) else { return }
        folder.make()
        FileSystem.makeFolder(folder.digests)
        let text = "\(identity.text)\n\(digest)\n\(Self.check(identity.text, digest))\n"
        // Where it cannot be written it is computed again next time.
        try? writeFile(Array(text.utf8), to: path)
    }

    private static func check(_ identity: String, _ digest: String) -> String {
        String(XXH64.checksum(Array("\(identity)\n\(digest)".utf8)), radix: 16)
    }
}
