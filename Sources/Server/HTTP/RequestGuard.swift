import HTTPTypes
import HummingbirdCore

/// Who may use the server: origins and hosts of browsers, and the token (server-api.md §2, §15).
struct RequestGuard: Sendable {
    private let token: [UInt8]?
    /// `nil` when any host will do: the server is reached from other machines under names it does not know.
    private let hosts: Set<String>?
    private let allowedHosts: Set<String>
    private let checksOrigin: Bool

    init(_ options: ServeOptions) {
        token = options.token.map { Array($0.utf8) }
        checksOrigin = options.corsOrigin == nil
        allowedHosts = Set(options.allowedHosts.map { $0.lowercased() })
        hosts =
            options.addresses.allSatisfy(HostName.isLoopback)
            ? allowedHosts.union(options.addresses.map { $0.lowercased() }).union(["localhost"]) : nil
    }

    /// Paths that answer without a token: what watches over servers has none.
    private static let open: Set<String> = ["/health", "/ready", "/api/health", "/api/ready"]

    /// The answer to a request that is refused; `nil` lets it pass.
    func refusal(
        _ method: HTTPRequest.Method, _ headers: HTTPFields, authority: String?, path: String, queryToken: String?
    ) -> HTTPFailure? {
        if let failure = originRefusal(headers, authority: authority) { return failure }
        guard let token, method != .options, !Self.open.contains(path) else { return nil }
        if matches(token, headers, queryToken) { return nil }
        return HTTPFailure(
            .unauthorized, "this server asks for its token: Authorization: Bearer TOKEN, or open /?token=TOKEN once",
            headers: [.wwwAuthenticate: "Bearer"])
    }

    /// Browsers tell where a request comes from: only pages of this server may send any.
    private func originRefusal(_ headers: HTTPFields, authority: String?) -> HTTPFailure? {
        guard checksOrigin else { return nil }
        let host = authority.flatMap(HostName.init(authority:))
        if let hosts {
            // A name that somebody else's name server points at this machine must not reach it.
            guard let host, host.isAddress || hosts.contains(host.name) || host.name.hasSuffix(".localhost") else {
                return HTTPFailure(
                    .forbidden,
                    "host \"\(shortened(authority ?? "", to: 80))\" is not this server's; "
                        + "--allow-host NAME allows another name")
            }
        }
        guard let origin = headers[.origin] else { return nil }
        guard let source = HostName(origin: origin) else {
            return HTTPFailure(.forbidden, "requests from origin \"\(shortened(origin, to: 80))\" are not taken")
        }
        if allowedHosts.contains(source.name) { return nil }
        guard let host, host.name == source.name, (host.port ?? source.defaultPort) == source.port else {
            return HTTPFailure(
                .forbidden,
                "origin \"\(shortened(origin, to: 80))\" is not host \"\(shortened(authority ?? "", to: 80))\"; "
                    + "--enable-cors-header ORIGIN lets other origins in")
        }
        return nil
    }

    private func matches(_ token: [UInt8], _ headers: HTTPFields, _ queryToken: String?) -> Bool {
        var given: [String] = []
        if let authorization = headers[.authorization], authorization.lowercased().hasPrefix("bearer ") {
            given.append(String(authorization.dropFirst(7)))
        }
        for cookie in headers[.cookie]?.split(separator: ";") ?? [] {
            let pair = cookie.split(separator: "=", maxSplits: 1)
            if pair.count == 2, pair[0].drop(while: { $0 == " " }) == Substring(Self.cookieName) {
                given.append(String(pair[1]))
            }
        }
        if let queryToken { given.append(queryToken) }
        return given.contains { Self.isEqual(token, Array($0.utf8)) }
    }

    /// Whether a text is the token; never where there is none.
    func isToken(_ text: String) -> Bool { token.map { Self.isEqual($0, Array(text.utf8)) } ?? false }

    /// In a time that does not depend on where two texts differ.
    private static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    static let cookieName = "graphrun_token"
}

/// The host of an `Origin` or `Host` header.
struct HostName: Sendable, Hashable {
    /// In lower case; IPv6 addresses without brackets.
    var name: String
    var port: Int?
    var defaultPort = 80
    var isAddress: Bool

    /// `name`, `name:port`, `[v6]:port`.
    init?(authority: String) {
        var text = Substring(authority.lowercased())
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            name = String(text[text.index(after: text.startIndex)..<end])
            isAddress = true
            text = text[text.index(after: end)...]
        } else {
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            name = String(text[..<colon])
            isAddress = HostName.isIPv4(name)
            text = text[colon...]
        }
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x2F && $0 != 0x40 }) else {
            return nil
        }
        guard !text.isEmpty else { return }
        guard text.hasPrefix(":"), let number = UInt16(text.dropFirst()) else { return nil }
        port = Int(number)
    }

    /// `scheme://authority`; `nil` for `null` and what is no origin.
    init?(origin: String) {
        guard let mark = origin.firstRange(of: "://") else { return nil }
        let scheme = origin[..<mark.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        guard let host = HostName(authority: String(origin[mark.upperBound...])) else { return nil }
        self = host
        defaultPort = scheme == "https" ? 443 : 80
        port = port ?? defaultPort
    }

    private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Whether only this machine can reach an address to listen at.
    static func isLoopback(_ address: String) -> Bool {
        address.lowercased() == "localhost" || address == "::1" || (isIPv4(address) && address.hasPrefix("127."))
    }
}
