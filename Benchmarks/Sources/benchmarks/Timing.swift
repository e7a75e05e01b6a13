import CPUBackend
import Foundation

/// The shortest time of one call of `body`, of those that fit into the time asked for (at least two after a warm-up):
/// seconds, or processor seconds per thread.
func shortest(_ options: Options, _ body: () throws -> Void) rethrows -> Double {
    try body()
    var best = Double.infinity
    var calls = 0
    let start = MeasuringClock.wall.seconds
    repeat {
        let before = options.clock.seconds
        try body()
        let time = options.clock.seconds - before
        best = min(best, options.clock == .processor ? time / Double(options.threads) : time)
        calls += 1
    } while MeasuringClock.wall.seconds - start < options.seconds || calls < 2
    return best
}

func column(_ value: Double, _ digits: Int = 1, width: Int = 9) -> String {
    let text = String(format: "%.\(digits)f", value)
    return String(repeating: " ", count: max(0, width - text.count)) + text
}

func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
}
