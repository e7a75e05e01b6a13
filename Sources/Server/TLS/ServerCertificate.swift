import Glibc
import NIOCore
import NIOSSL
import Synchronization

/// Names the files of a server's certificate (server-api.md §1).
public struct TLSFiles: Sendable, Hashable {
    /// PEM: the server's certificate, then those that lead to a root.
    public var certificates: String
    /// PEM: the key of the first.
    public var key: String

    public init(certificates: String, key: String) {
        self.certificates = certificates
        self.key = key
    }
}

/// The certificate that connections are opened with; read again when its files have changed, as they do every few weeks
/// where certificates are renewed automatically.
final class ServerCertificate: Sendable {
    private struct State {
        var context: NIOSSLContext
        var versions: [FileVersion?]
        var looked: ContinuousClock.Instant
    }

    /// What changes when a file is replaced.
    private struct FileVersion: Equatable {
        var node: UInt64
        var seconds: Int
        var nanoseconds: Int

        init?(_ path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            node = UInt64(status.st_ino)
            (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        }
    }

    private static let interval = Duration.seconds(10)
    private let files: TLSFiles
    private let log: ServerLog
    private let state: Mutex<State>

    /// - Throws: ``ServeError`` for files that cannot be used.
    init(_ files: TLSFiles, _ log: ServerLog) throws(ServeError) {
        self.files = files
        self.log = log
        let versions = Self.versions(files)
        state = Mutex(State(context: try Self.context(files), versions: versions, looked: .now))
    }

    private static func versions(_ files: TLSFiles) -> [FileVersion?] {
        [FileVersion(files.certificates), FileVersion(files.key)]
    }

    private static func context(_ files: TLSFiles) throws(ServeError) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(files.certificates)
        } catch {
            throw ServeError("--tls-certfile \(files.certificates): expected certificates in PEM: \(error)")
        }
        guard !chain.isEmpty else {
            throw ServeError("--tls-certfile \(files.certificates): found no certificate, expected one in PEM")
        }
        let key: NIOSSLPrivateKey
        do {
            // A key that asks for a pass phrase is refused rather than waited for.
            key = try NIOSSLPrivateKey(file: files.key, format: .pem) { setter in setter("".utf8) }
        } catch {
            throw ServeError(
                "--tls-keyfile \(files.key): expected a private key in PEM without a pass phrase: \(error)")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw ServeError(
                "--tls-certfile \(files.certificates), --tls-keyfile \(files.key): the key is not that of the first "
                    + "certificate: \(error)")
        }
    }

    /// What the next connection is opened with.
    private var present: NIOSSLContext {
        state.withLock { state in
            let now = ContinuousClock.now
            guard now - state.looked >= Self.interval else { return state.context }
            state.looked = now
            let versions = Self.versions(files)
            guard versions != state.versions else { return state.context }
            do {
                state.context = try Self.context(files)
                log.note("the certificate was read anew")
            } catch {
                // Half of the pair may not be there yet.
                log.error("the changed certificate is not used: \(error)")
            }
            state.versions = versions
            return state.context
        }
    }

    /// The handler that stands between the network and HTTP.
    func handler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: present) }
}
