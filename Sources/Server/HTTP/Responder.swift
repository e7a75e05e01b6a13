import HTTPTypes
import HummingbirdCore
import JSON
import Logging
import NIOCore

/// From a request to its answer: the checks, the route, the headers that all answers share.
struct RequestResponder: Sendable {
    private let options: ServeOptions
    private let routes: RouteTable
    private let guardian: RequestGuard
    private let log: ServerLog
    private let metrics: ServerMetrics
    private let budget: BodyBudget

    init(_ options: ServeOptions, _ routes: RouteTable, _ log: ServerLog, _ metrics: ServerMetrics) {
        self.options = options
        self.routes = routes
        self.log = log
        self.metrics = metrics
        guardian = RequestGuard(options)
        budget = BodyBudget(limit: max(2 * options.bodyLimit, 64 << 20))
    }

    func respond(to request: Request) async -> Response {
        let start = ContinuousClock.now
        var path = request.head.path ?? ""
        var place = "none"
        var response: Response
        do throws(HTTPFailure) {
            let parsed = try ServerRequest(request, bodyLimit: options.bodyLimit, share: budget.share())
            path = parsed.rawPath
            if let refusal = guardian.refusal(
                parsed.method, parsed.headers, authority: request.head.authority, path: path,
                queryToken: parsed.query["token"])
            {
                throw refusal
            }
            response = await answer(parsed, &place)
            if let given = parsed.query["token"], guardian.isToken(given) { keepToken(&response) }
        } catch {
            response = error.response
        }
        if let origin = options.corsOrigin { addCORS(origin, to: &response) }
        CacheHeaders.add(to: &response, path: path)
        if options.compresses { Compression.prepare(&response, for: request) }
        if request.method == .head { response = Response(status: response.status, headers: response.headers) }
        metrics.request(place, Int(response.status.code), start.duration(to: .now))
        return response
    }

    private func answer(_ request: ServerRequest, _ place: inout String) async -> Response {
        // Also for unknown paths and methods (server-api.md §2).
        if request.method == .options { return .empty() }
        switch routes.match(request.method, request.segments) {
        case .nothing:
            return .empty(.notFound)
        case .methods(let methods):
            var allowed = Set(methods.map(\.rawValue))
            if allowed.contains("GET") { allowed.insert("HEAD") }
            let failure = HTTPFailure(
                .methodNotAllowed, "405: Method Not Allowed",
                headers: [.allow: allowed.sorted().joined(separator: ",")])
            return failure.response
        case .found(let route, let values):
            place = route.path.description
            var request = request
            request.parameters = values
            do {
                return try await route.handler(request)
            } catch let failure as HTTPFailure {
                return failure.response
            } catch is ConnectionCut {
                return HTTPFailure(.badRequest, "the request ended early").response
            } catch is CancellationError {
                return HTTPFailure(.serviceUnavailable, "the server is ending").response
            } catch {
                log.error("\(request.method) \(request.rawPath): \(error)")
                return HTTPFailure(.internalServerError, "500 Internal Server Error\n\nServer got itself in trouble")
                    .response
            }
        }
    }

    /// Who opens `/?token=…` in a browser need not do so again.
    private func keepToken(_ response: inout Response) {
        guard let token = options.token, response.status.code < 400 else { return }
        let cookie =
            "\(RequestGuard.cookieName)=\(token); Path=/; HttpOnly; SameSite=Strict"
            + (options.tls == nil ? "" : "; Secure")
        if let name = HTTPField.Name("Set-Cookie") { response.headers.append(HTTPField(name: name, value: cookie)) }
    }

    private func addCORS(_ origin: String, to response: inout Response) {
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlAllowMethods] = "POST, GET, DELETE, PUT, OPTIONS, PATCH"
        response.headers[.accessControlAllowHeaders] = "Content-Type, Authorization"
        response.headers[.accessControlAllowCredentials] = "true"
    }
}

/// `Cache-Control` by the path of the request (server-api.md §2.1).
enum CacheHeaders {
    private static let pictures: Set<String> = ["jpg", "jpeg", "png", "webp", "bmp", "ppm", "pgm", "tif", "tiff"]

    static func add(to response: inout Response, path: String) {
        guard response.headers[.cacheControl] == nil else { return }
        let name = (path.split(separator: "/").last ?? "").lowercased()
        let ending = name.split(separator: ".").last.map(String.init) ?? ""
        let status = response.status.code
        if path == "/" {
            response.headers[.cacheControl] = "no-cache"
            if let pragma = HTTPField.Name("Pragma") { response.headers[pragma] = "no-cache" }
            response.headers[.expires] = "0"
        } else if ending == "js" || ending == "css" || (ending == "json" && name.hasPrefix("index")) {
            if status != 304 { response.headers[.cacheControl] = "no-cache" }
        } else if pictures.contains(ending), name.contains(".") {
            switch status {
            case 200..<300, 301, 308: response.headers[.cacheControl] = "public, max-age=86400"
            case 302, 303, 307: response.headers[.cacheControl] = "no-cache"
            case 404: response.headers[.cacheControl] = "public, max-age=3600"
            default: break
            }
        }
    }
}
