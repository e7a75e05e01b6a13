import HTTPTypes

extension FolderFault {
    /// The answer where a route has none of its own for a fault.
    var failure: HTTPFailure {
        switch code {
        case .invalidName: HTTPFailure(.badRequest, message)
        case .outside: HTTPFailure(.forbidden, message)
        case .missing, .wrongKind: HTTPFailure(.notFound, message)
        case .exists: HTTPFailure(.conflict, message)
        case .tooLarge: HTTPFailure(.contentTooLarge, message)
        case .system: HTTPFailure(.internalServerError, message)
        }
    }
}

/// Does what waits for a disk away from the threads that serve sockets; faults of folders become answers.
func onDisk<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    do {
        return try await blocking(body)
    } catch let fault as FolderFault {
        throw fault.failure
    }
}
