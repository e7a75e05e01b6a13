import Engine
import JSON
import Synchronization
import Workflow

/// How much the program says.
enum Verbosity: Int, Comparable {
    case quiet, normal, verbose
    static func < (a: Verbosity, b: Verbosity) -> Bool { a.rawValue < b.rawValue }
}

/// Shows the events of a run: as JSON lines, or for people as a progress bar on a terminal and as lines elsewhere.
final class RunDisplay: Sendable {
    private struct State {
        var progress: StepTimer?
        /// Whether a bar stands on the terminal's current line.
        var barIsShown = false
    }

    private let console: any Console
    private let verbosity: Verbosity
    private let asJSON: Bool
    private let names: [String: String]
    private let outputFolder: String
    private let state = Mutex(State())

    /// - Parameter outputFolder: where pictures of type "output" lie.
    init(_ console: any Console, verbosity: Verbosity, asJSON: Bool, prompt: Prompt, outputFolder: String) {
        self.console = console
        self.verbosity = verbosity
        self.asJSON = asJSON
        self.outputFolder = outputFolder
        names = Dictionary(
            prompt.nodes.map { ($0.key, "\(printable($0.key)) (\(printable($0.value.title ?? $0.value.classType)))") },
            uniquingKeysWith: { first, _ in first })
    }

    func show(_ event: EngineEvent) {
        if asJSON { return console.print(event.json.text(.compact)) }
        switch event.kind {
        case .executionStart, .executionSuccess: clearBar()
        case .executionCached(let nodes):
            if !nodes.isEmpty { verbose("\(nodes.count) results are there already") }
        case .executing(let node):
            state.withLock { $0.progress = nil }
            verbose("node \(name(node.displayID))")
        case .progress(let node, let done, let total):
            progress(node.displayID, Int(clamping: done), Int(clamping: total))
        case .resumed(let node, let done, let total): resumed(node.displayID, done, total)
        case .preview: break
        case .executed(_, let output): results(output)
        case .nodeFinished(let node, let seconds):
            verbose("node \(name(node.displayID)) took \(duration(seconds))")
        case .executionBlocked(let node, _, let message):
            if verbosity > .quiet {
                line { console.warning("node \(name(node.realID)): not run: \(printable(message))") }
            }
        case .warning(let node, let message):
            let place = node.map { "node \(name($0)): " } ?? ""
            if verbosity > .quiet { line { console.warning(place + printable(message)) } }
        case .executionError(let failure):
            line {
                console.error("node \(name(failure.nodeID)): \(printable(failure.message))")
                if verbosity == .verbose { inputs(of: failure) }
            }
        case .executionInterrupted(let node, _, _):
            line { console.noteLine("graphrun: cancelled" + (node.map { " at node " + name($0) } ?? "")) }
        }
    }

    private func name(_ node: String) -> String { names[node] ?? printable(node) }

    private func inputs(of failure: ExecutionFailure) {
        for (name, value) in failure.inputs { console.noteLine("  \(printable(name)): \(printable(value.text()))") }
    }

    private func verbose(_ text: String) {
        if verbosity == .verbose { line { console.noteLine(text) } }
    }

    /// What nodes show: the paths of saved pictures, and texts, on standard output.
    private func results(_ output: JSONObject?) {
        guard verbosity > .quiet, let output else { return }
        for case .object(let image) in output["images"]?.arrayValue ?? [] {
            guard image["type"] == .string("output"), let file = image["filename"]?.stringValue else { continue }
            let parts = [outputFolder, image["subfolder"]?.stringValue ?? "", file].filter { !$0.isEmpty }
            line { console.print(printable(parts.joined(separator: "/"))) }
        }
        for case .string(let text) in output["text"]?.arrayValue ?? [] { line { console.print(text) } }
    }

    // MARK: Progress

    private func progress(_ node: String, _ step: Int, _ total: Int) {
        guard verbosity > .quiet, total > 0 else { return }
        let now = ContinuousClock.now
        let width = console.terminalWidth
        let text = state.withLock { state -> String? in
            if state.progress?.node != node { state.progress = StepTimer(node: node, start: now) }
            return state.progress?.text(step: step, total: total, now: now, isTerminal: width != nil)
        }
        guard let text else { return }
        guard let width else { return console.noteLine("node \(name(node)): \(text)") }
        let bar = progressBar(step, total, text, name(node), width: width)
        state.withLock { $0.barIsShown = true }
        console.note("\r\u{1B}[K" + bar)
    }

    private func resumed(_ node: String, _ done: Int, _ total: Int) {
        guard verbosity > .quiet else { return }
        let text =
            done < total
            ? "resuming at step \(done + 1) of \(total)" : "all \(total) steps were done by an interrupted run"
        line { console.noteLine("node \(name(node)): \(text)") }
    }

    /// Writes whole lines, after removing the bar.
    private func line(_ write: () -> Void) {
        clearBar()
        write()
    }

    /// Removes the bar from the terminal's line.
    func clearBar() {
        let wasShown = state.withLock { state in
            defer { state.barIsShown = false }
            return state.barIsShown
        }
        if wasShown { console.note("\r\u{1B}[K") }
    }
}

extension Int {
    /// The nearest integer; NaN gives 0.
    fileprivate init(clamping value: Double) {
        self = value.isNaN ? 0 : value >= 9e18 ? .max : value <= -9e18 ? .min : Int(value.rounded())
    }
}
