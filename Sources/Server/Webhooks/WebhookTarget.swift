/// Where announcements go.
struct WebhookTarget: Sendable {
    let url: String
    let isSecure: Bool
    let host: String
    /// Whether the host is a number, which TLS's server names leave out.
    let hostIsAddress: Bool
    let port: Int
    /// Path and query.
    let path: String

    /// The `Host` of requests.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// - Throws: ``ServeError`` for what is no http or https URL.
    init(_ url: String) throws(ServeError) {
        guard let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else {
            throw ServeError("--webhook \(shortened(url)): expected an address that begins with https:// or http://")
        }
        isSecure = scheme == "https://"
        let rest = url.dropFirst(scheme.count)
        let slash = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) ?? rest.endIndex
        guard let name = HostName(authority: String(rest[..<slash])) else {
            throw ServeError("--webhook \(shortened(url)): \"\(shortened(String(rest[..<slash])))\" is no host")
        }
        let path = String(rest[slash...])
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ServeError("--webhook \(shortened(url)): blanks and letters beyond ASCII have to be percent-encoded")
        }
        self.url = url
        (host, hostIsAddress, port) = (name.name, name.isAddress, name.port ?? (isSecure ? 443 : 80))
        self.path = path.hasPrefix("/") ? path : "/" + path
    }
}
