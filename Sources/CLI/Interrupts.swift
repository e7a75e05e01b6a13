import CSignals
import Dispatch
import Glibc
import Synchronization

/// What asks a run to stop.
public protocol InterruptSource: Sendable {
    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - cancel: called at the first interrupt.
    ///   - abort: called at the second: the program ends at once and must clean up first.
    func listen(cancel: @escaping @Sendable () -> Void, abort: @escaping @Sendable () -> Void)
}

/// SIGINT, SIGTERM and SIGHUP. Also makes SIGBUS say what it means, and lets writes to a closed pipe fail.
public final class SignalInterrupts: InterruptSource {
    private let count = Atomic(0)

    public init() {}

    public func listen(cancel: @escaping @Sendable () -> Void, abort: @escaping @Sendable () -> Void) {
        csignals_report_bus_errors()
        _ = signal(SIGPIPE, SIG_IGN)
        let pipe = csignals_listen()
        guard pipe >= 0 else { return }
        let source = DispatchSource.makeReadSource(fileDescriptor: pipe, queue: .global(qos: .userInitiated))
        source.setEventHandler { [self] in
            // The handler holds its source, which listens for as long as the process lives.
            withExtendedLifetime(source) {}
            var number: UInt8 = 0
            while unsafe read(pipe, &number, 1) == 1 {
                if count.wrappingAdd(1, ordering: .relaxed).oldValue == 0 {
                    cancel()
                } else {
                    abort()
                    _exit(ProgramStatus.cancelled.rawValue)
                }
            }
        }
        source.activate()
    }
}
