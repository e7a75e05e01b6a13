internal import Dispatch

/// Threads on which nodes run: they compute for minutes, which would starve the pool that all other tasks share.
final class NodeExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "graphrun.nodes", qos: .userInitiated, attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
