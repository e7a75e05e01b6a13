public import JSON

/// How a run ended and what it left.
public struct RunResult: Sendable {
    public enum Status: Sendable {
        case success
        case failed(ExecutionFailure)
        case interrupted
    }

    public init() {}

    public var status = Status.success
    /// What nodes showed, by node id; also those whose results came from the cache.
    public var outputs = JSONObject()
    /// Nodes that ran, in order.
    public var executed: [String] = []
    /// Nodes whose results were there before the run, in the order of the prompt.
    public var cached: [String] = []
}
