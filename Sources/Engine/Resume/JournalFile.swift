import Dispatch
import Glibc
import Hashing
import NodeKit
import Synchronization

/// A journal in a file that this process has locked.
///
/// Layout, little endian: a header of 64 bytes (16 bytes of text, version, 0, the owner's digest, the checksum of all
/// that), then records: length, checksum, bytes. A record's checksum starts from the header's and the record's number, so
/// that none is taken for another.
///
/// A record goes to the file at once, as long as writing takes less than a twentieth of the time; else, and to the disk
/// itself, within `Policy.seconds`. What the process wrote survives its own end; what is on the disk, the machine's.
final class JournalFile: WorkJournal {
    struct Policy: Sendable {
        /// The longest time that finished work may be lost for.
        var seconds: Double
        /// Size beyond which nothing is added.
        var byteLimit: Int
        /// Told what keeps records from being kept.
        var warn: @Sendable (String) -> Void
    }

    private struct Extent {
        /// Of the bytes, behind length and checksum.
        var offset: Int
        var count: Int
    }

    private struct State: ~Copyable {
        /// `nil` once the journal is closed.
        var file: LockedFile?
        var records: [Extent]
        /// Bytes in the file.
        var written: Int
        /// Frames behind them.
        var pending: [UInt8] = []
        var lastWrite = -Double.infinity
        var writeCost = 0.0
        /// Whether ``settle()`` will be called.
        var isSettling = false
        var isFull = false
    }

    private static let title = Array("graphrun journal".utf8)
    private static let version: UInt32 = 1
    private static let headerSize = 64
    private static let frameSize = 16
    /// Bytes that wait in memory at most.
    private static let pendingLimit = 64 << 20

    let path: String
    private let policy: Policy
    private let seed: UInt64
    private let state: Mutex<State>

    /// Opens a journal and drops what does not belong there: all of it if the owner is another, else from the first
    /// damaged record on.
    ///
    /// - Parameter owner: 32 bytes that change with everything the records depend on.
    /// - Returns: `nil` when another has it.
    static func open(_ path: String, owner: SHA256.Digest, policy: Policy) throws(FileError) -> JournalFile? {
        guard let file = try LockedFile.open(path, creates: true) else { return nil }
        let header = Self.header(owner)
        let seed = Self.word(header, 56)
        let size = file.byteCount
        var records: [Extent] = []
        var end = headerSize
        if file.read(headerSize, at: 0) == header {
            records = Self.scan(file, size: min(size, policy.byteLimit), seed: seed)
            if let last = records.last { end = last.offset + last.count }
            if size > end { file.cut(to: end) }
        } else {
            file.cut(to: 0)
            try file.write(header, at: 0)
        }
        return JournalFile(file, records, written: end, seed: seed, policy: policy)
    }

    private init(_ file: consuming LockedFile, _ records: [Extent], written: Int, seed: UInt64, policy: Policy) {
        path = file.path
        self.policy = policy
        self.seed = seed
        state = Mutex(State(file: consume file, records: records, written: written))
    }

    deinit { close() }

    // MARK: Records

    var count: Int { state.withLock { $0.records.count } }

    func record(_ index: Int) -> [UInt8]? {
        state.withLock { state in
            guard state.records.indices.contains(index) else { return nil }
            let extent = state.records[index]
            if extent.offset + extent.count > state.written { _ = write(&state) }
            let start = extent.offset - Self.frameSize
            guard let head = state.file?.read(Self.frameSize, at: start),
                let bytes = state.file?.read(extent.count, at: extent.offset),
                Self.word(head, 8) == checksum(bytes, index)
            else { return nil }
            return bytes
        }
    }

    func append(_ record: [UInt8]) {
        var problem: String?
        let settles = state.withLock { state in
            guard state.file != nil, !state.isFull else { return false }
            let offset = state.written + state.pending.count + Self.frameSize
            guard record.count <= policy.byteLimit - offset else {
                state.isFull = true
                problem = "an interrupted run will start over: its unfinished work exceeds \(policy.byteLimit) bytes"
                return false
            }
            Self.add(UInt64(record.count), to: &state.pending)
            Self.add(checksum(record, state.records.count), to: &state.pending)
            state.pending += record
            state.records.append(Extent(offset: offset, count: record.count))
            let idle = monotonicSeconds() - state.lastWrite
            if idle >= 20 * state.writeCost || state.pending.count > Self.pendingLimit { problem = write(&state) }
            if state.isSettling { return false }
            state.isSettling = true
            return true
        }
        if let problem { policy.warn(problem) }
        guard settles else { return }
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + policy.seconds) { [weak self] in
            self?.settle()
        }
    }

    func truncate(to count: Int) {
        state.withLock { state in
            guard count >= 0, count < state.records.count else { return }
            _ = write(&state)
            guard count < state.records.count else { return }
            let end = state.records[count].offset - Self.frameSize
            state.records.removeSubrange(count...)
            state.written = end
            if state.file?.cut(to: end) == false { state.isFull = true }
        }
    }

    // MARK: Ends

    /// Writes what is pending and lets others have the journal.
    func close() {
        state.withLock { state in
            _ = write(&state)
            state.file = nil
        }
    }

    /// Removes the journal: its work is finished.
    func discard() {
        state.withLock { state in
            state.file?.unlink()
            state.file = nil
            state.pending = []
            state.records = []
        }
    }

    // MARK: Writing

    /// Brings everything to the disk, without keeping the node from appending meanwhile.
    private func settle() {
        var problem: String?
        let duplicate = state.withLock { state in
            state.isSettling = false
            problem = write(&state)
            return state.file?.duplicate() ?? -1
        }
        LockedFile.flush(duplicate)
        if let problem { policy.warn(problem) }
    }

    /// Writes the pending frames; on failure drops them and stops taking more.
    ///
    /// - Returns: what went wrong.
    private func write(_ state: inout State) -> String? {
        guard !state.pending.isEmpty, state.file != nil else { return nil }
        let start = monotonicSeconds()
        var problem: String?
        do {
            try state.file?.write(state.pending, at: state.written)
            state.written += state.pending.count
        } catch {
            // A disk that is full now may not be later, but half a record must not stay in between.
            let written = state.written
            state.file?.cut(to: written)
            state.records.removeAll { $0.offset + $0.count > written }
            state.isFull = true
            problem = "an interrupted run will not be taken up after this step: \(error)"
        }
        state.pending = []
        state.lastWrite = monotonicSeconds()
        state.writeCost = state.lastWrite - start
        return problem
    }

    // MARK: Layout

    private static func header(_ owner: SHA256.Digest) -> [UInt8] {
        var bytes = title
        add(UInt64(version), to: &bytes)
        bytes += owner.bytes
        add(XXH64.checksum(bytes), to: &bytes)
        return bytes
    }

    private static func scan(_ file: borrowing LockedFile, size: Int, seed: UInt64) -> [Extent] {
        var records: [Extent] = []
        var at = headerSize
        while size - at >= frameSize, let head = file.read(frameSize, at: at) {
            let offset = at + frameSize
            guard let count = Int(exactly: word(head, 0)), count <= size - offset,
                let bytes = file.read(count, at: offset),
                word(head, 8) == XXH64.checksum(bytes, seed: seed &+ UInt64(records.count))
            else { break }
            records.append(Extent(offset: offset, count: count))
            at = offset + count
        }
        return records
    }

    private func checksum(_ record: [UInt8], _ index: Int) -> UInt64 {
        XXH64.checksum(record, seed: seed &+ UInt64(index))
    }

    private static func add(_ word: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, through: 56, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
    }
}
