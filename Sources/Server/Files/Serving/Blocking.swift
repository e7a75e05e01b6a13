import NIOPosix

/// Does what waits for a disk or computes for long, away from the threads that serve sockets.
func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await NIOThreadPool.singleton.runIfActive(body)
}

/// Threads for decoding and encoding pictures: few, so that many requests at once take turns, not all memory.
private let pictureThreads: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 2)
    pool.start()
    return pool
}()

/// Does what works on whole pictures; faults of folders become answers.
func onPictures<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    do {
        return try await pictureThreads.runIfActive(body)
    } catch let fault as FolderFault {
        throw fault.failure
    }
}
