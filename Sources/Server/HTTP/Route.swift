public import HTTPTypes
public import HummingbirdCore

/// One method of one path.
public struct Route: Sendable {
    public typealias Handler = @Sendable (ServerRequest) async throws -> Response

    /// Under which paths a route is found.
    public enum Reach: Sendable {
        /// As it stands and below `/api` (server-api.md §1).
        case both
        /// As it stands only: `/internal`, static files.
        case bare
    }

    public var method: HTTPRequest.Method
    public var path: RoutePath
    public var reach: Reach
    public var description: RouteDescription
    public var handler: Handler
}

/// A path with places for values: `/history/{id}`, `/docs/{path...}`.
public struct RoutePath: Sendable, CustomStringConvertible {
    enum Segment: Sendable, Hashable {
        case literal(String)
        /// One segment; encoded slashes in it stay part of the value.
        case value(String)
        /// All that follows, at least one segment.
        case rest(String)
    }

    let segments: [Segment]
    public let description: String

    public init(_ text: String) {
        description = text
        segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return .literal(String(part)) }
            let name = part.dropFirst().dropLast()
            return name.hasSuffix("...") ? .rest(String(name.dropLast(3))) : .value(String(name))
        }
    }

    /// Whether every path fits.
    var catchesAll: Bool {
        if case .rest? = segments.first { true } else { false }
    }

    var isLiteral: Bool {
        segments.allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// The values of a path's segments, if it fits.
    func match(_ path: ArraySlice<String>) -> [String: String]? {
        var values: [String: String] = [:]
        var index = path.startIndex
        for segment in segments {
            guard index < path.endIndex else { return nil }
            switch segment {
            case .literal(let text):
                guard path[index] == text else { return nil }
            case .value(let name):
                guard !path[index].isEmpty else { return nil }
                values[name] = path[index]
            case .rest(let name):
                values[name] = path[index...].joined(separator: "/")
                return values
            }
            index += 1
        }
        return index == path.endIndex ? values : nil
    }
}

/// All routes of a server. Filled before it starts.
public struct RouteTable: Sendable {
    public private(set) var routes: [Route] = []
    /// Positions of routes without places, by path.
    private var literal: [String: [Int]] = [:]
    /// Positions of the others, in the order of registration: the first that fits is taken.
    private var patterns: [Int] = []

    public init() {}

    public mutating func add(
        _ method: HTTPRequest.Method, _ path: String, reach: Route.Reach = .both, _ description: RouteDescription,
        _ handler: @escaping Route.Handler
    ) {
        let route = Route(
            method: method, path: RoutePath(path), reach: reach, description: description, handler: handler)
        if route.path.isLiteral {
            literal[path, default: []].append(routes.count)
        } else {
            patterns.append(routes.count)
        }
        routes.append(route)
    }

    public mutating func get(
        _ path: String, reach: Route.Reach = .both, _ description: RouteDescription, _ handler: @escaping Route.Handler
    ) {
        add(.get, path, reach: reach, description, handler)
    }

    public mutating func post(
        _ path: String, reach: Route.Reach = .both, _ description: RouteDescription, _ handler: @escaping Route.Handler
    ) {
        add(.post, path, reach: reach, description, handler)
    }

    enum Match {
        case found(Route, [String: String])
        /// The path is there with other methods.
        case methods([HTTPRequest.Method])
        case nothing
    }

    /// - Parameter segments: of the path, each decoded once.
    func match(_ method: HTTPRequest.Method, _ segments: [String]) -> Match {
        // HEAD works wherever GET does.
        let wanted = method == .head ? .get : method
        let isPrefixed = segments.first == "api"
        var others: [HTTPRequest.Method] = []
        if isPrefixed, let found = match(wanted, segments.dropFirst(), isPrefixed: true, &others) { return found }
        if let found = match(wanted, segments[...], isPrefixed: false, &others) { return found }
        return others.isEmpty ? .nothing : .methods(others)
    }

    private func match(
        _ method: HTTPRequest.Method, _ segments: ArraySlice<String>, isPrefixed: Bool,
        _ others: inout [HTTPRequest.Method]
    ) -> Match? {
        func isReached(_ route: Route) -> Bool { !isPrefixed || route.reach == .both }
        for index in literal["/" + segments.joined(separator: "/")] ?? [] where isReached(routes[index]) {
            if routes[index].method == method { return .found(routes[index], [:]) }
            others.append(routes[index].method)
        }
        for index in patterns where isReached(routes[index]) {
            guard let values = routes[index].path.match(segments) else { continue }
            if routes[index].method == method { return .found(routes[index], values) }
            // What catches all the rest has no say in what other methods there are.
            if !routes[index].path.catchesAll { others.append(routes[index].method) }
        }
        return nil
    }
}
