/// What a node has done so far of something that takes minutes, kept so that it need not be done again when the process
/// is killed in the middle: a list of records in the order in which they were made.
///
/// The engine ties a journal to everything that decides the node's result (inputs, files, precision, versions), keeps it
/// until the node has finished, and lets one process at a time have it. A node takes the records that are there, goes on
/// where they end, and appends what it computes:
///
/// ```swift
/// func run(_ context: NodeContext) async throws {
///     let journal = context.journal("frames")
///     for frame in 0..<count {
///         if let kept = journal?.record(frame), let known = Frame(kept) {
///             frames.append(known)
///             continue
///         }
///         journal?.truncate(to: frame)
///         let made = try render(frame)
///         journal?.append(made.bytes)
///         frames.append(made)
///         context.progress(frame + 1, of: count)
///         try context.checkCancellation()
///     }
/// }
/// ```
/// A record is whole or not there: what was cut off by a crash or damaged on the disk is dropped when the journal is
/// opened. What a record means is the node's affair; a node that changed its mind about that raises `NodeInfo.version`.
public protocol WorkJournal: AnyObject, Sendable {
    /// Number of records: those that an interrupted run left, then the ones appended.
    var count: Int { get }
    /// One record; `nil` beyond the last, and when it cannot be read any more.
    func record(_ index: Int) -> [UInt8]?
    /// Adds a record. Never fails: when it cannot be kept the user is told once, and the node goes on.
    func append(_ record: [UInt8])
    /// Drops the records from number `count` on.
    func truncate(to count: Int)
}

/// Where a node's journals are.
public protocol UnfinishedWork: Sendable {
    /// Opens a journal. Asked twice for a name, it gives a second journal: a node that asks in the same order every time
    /// gets the same ones.
    ///
    /// - Parameters:
    ///   - name: lower-case letters, digits and "-".
    ///   - call: ``NodeContext/callIndex``: each call has journals of its own.
    /// - Returns: `nil` when another process has it, or it cannot be kept.
    func journal(_ name: String, call: Int) -> (any WorkJournal)?
}

extension NodeContext {
    /// Opens a journal of this node's unfinished work (see ``WorkJournal``); `nil` where none is kept.
    public func journal(_ name: String) -> (any WorkJournal)? { unfinishedWork?.journal(name, call: callIndex) }

    /// Tells the user that an interrupted run is taken up after `done` of `total` steps. Progress goes on from there.
    public func resumed(after done: Int, of total: Int) { events.resumed(node: nodeID, done: done, total: total) }
}

extension NodeEvents {
    public func resumed(node: String, done: Int, total: Int) {}
}
