/// Measures the steps of one node and puts them into words.
struct StepTimer {
    let node: String
    private let start: ContinuousClock.Instant
    /// The step and time of the first report: what happened before it (loading, preparing) is no part of a step.
    private var first: (step: Int, time: ContinuousClock.Instant)?
    private var lastLine: ContinuousClock.Instant?

    init(node: String, start: ContinuousClock.Instant) {
        self.node = node
        self.start = start
    }

    /// "step 3/8, 1.25 s/step, 6 s left"; `nil` when nothing need be said.
    ///
    /// - Parameter isTerminal: without one, lines come at most once a second, and for the last step.
    mutating func text(step: Int, total: Int, now: ContinuousClock.Instant, isTerminal: Bool) -> String? {
        if first == nil { first = (step, now) }
        if !isTerminal && step < total, let last = lastLine, last.duration(to: now) < .seconds(1) { return nil }
        lastLine = now
        var text = "step \(step)/\(total)"
        guard let first, step > first.step else { return text }
        let perStep = seconds(first.time.duration(to: now)) / Double(step - first.step)
        text += ", \(duration(perStep))/step"
        if step < total { text += ", \(duration(perStep * Double(total - step))) left" }
        return text
    }
}

/// A length of time in seconds.
func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

/// "350 ms", "1.25 s", "42 s", "3:07 min", "1:02:03 h".
func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "?" }
    if seconds < 0.9995 { return "\(Int((seconds * 1000).rounded())) ms" }
    if seconds < 9.995 {
        let hundredths = Int((seconds * 100).rounded())
        return "\(hundredths / 100).\(twoDigits(hundredths % 100)) s"
    }
    let whole = seconds < 1e9 ? Int(seconds.rounded()) : 1_000_000_000
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60):\(twoDigits(whole % 60)) min" }
    return "\(whole / 3600):\(twoDigits(whole / 60 % 60)):\(twoDigits(whole % 60)) h"
}

private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

/// `[██████░░░░] step 3/8, … 12 (KSampler)`, at most `width` − 1 columns: a full line would scroll.
func progressBar(_ step: Int, _ total: Int, _ text: String, _ name: String, width: Int) -> String {
    let room = max(0, width - 1)
    let cells = min(30, max(0, room - text.count - 4))
    let filled = total > 0 ? min(cells, max(0, cells * min(step, total) / total)) : 0
    let bar =
        cells < 5
        ? ""
        : "[" + String(repeating: "█", count: filled)
            + String(repeating: "░", count: cells - filled) + "] "
    return String((bar + text + "  " + name).prefix(room))
}
