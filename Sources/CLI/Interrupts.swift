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
        // A signal between here and the registration of its source would be lost: wait for the sources.
        let registered = DispatchGroup()
        for number in [SIGINT, SIGTERM, SIGHUP] {
            registered.enter()
            // A source only sees signals that do not end the process.
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
            source.setEventHandler { [self] in
                // The handler holds its source, which listens for as long as the process lives.
                withExtendedLifetime(source) {}
                if count.wrappingAdd(1, ordering: .relaxed).oldValue == 0 { return cancel() }
                abort()
                _exit(ProgramStatus.cancelled.rawValue)
            }
            source.setRegistrationHandler { registered.leave() }
            source.activate()
        }
        _ = registered.wait(timeout: .now() + .seconds(1))
    }
}
