/// Takes multipart bodies (RFC 2046 §5.1, RFC 7578) apart as they come in, piece by piece and with bounded memory.
struct MultipartParser {
    enum Event: Equatable {
        /// A part begins.
        case begin(MultipartHeaders)
        /// Some of its content.
        case data([UInt8])
        case end
    }

    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    private enum State {
        /// Before the first boundary.
        case preamble
        /// Right behind a boundary.
        case afterBoundary
        case headers
        case content
        /// Behind the last boundary; what follows is ignored.
        case epilogue
    }

    /// Bytes of headers of one part, and of what may stand before the first boundary.
    private static let headerLimit = 16 << 10
    private let partLimit: Int

    /// `\r\n--boundary`
    private let delimiter: [UInt8]
    private var state = State.preamble
    /// A boundary at the very beginning has no line end before it.
    private var pending: [UInt8] = [13, 10]
    private var parts = 0

    /// - Parameter boundary: 1 to 200 bytes; the standard says at most 70, senders do not all keep to it.
    init(boundary: String, partLimit: Int = 64) throws(Fault) {
        guard (1...200).contains(boundary.utf8.count), !boundary.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else {
            throw Fault(description: "the multipart boundary has to have 1 to 200 printable bytes")
        }
        delimiter = [13, 10, 45, 45] + Array(boundary.utf8)
        self.partLimit = partLimit
    }

    /// Whether the last boundary was seen.
    var isComplete: Bool { state == .epilogue }

    /// The next bytes of the body.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(Fault) -> [Event] {
        if state == .epilogue { return [] }
        pending += bytes
        var events: [Event] = []
        while try step(&events) {}
        return events
    }

    /// - Returns: whether more can be done with what is there.
    private mutating func step(_ events: inout [Event]) throws(Fault) -> Bool {
        switch state {
        case .preamble:
            if let at = position(of: delimiter) {
                pending.removeFirst(at + delimiter.count)
                state = .afterBoundary
                return true
            }
            guard pending.count <= Self.headerLimit else {
                throw Fault(description: "the multipart body does not begin with its boundary")
            }
            return false
        case .afterBoundary: return try stepAfterBoundary()
        case .headers:
            guard let end = position(of: [13, 10, 13, 10]) else {
                guard pending.count <= Self.headerLimit else {
                    throw Fault(description: "a part's headers have more than \(Self.headerLimit) bytes")
                }
                return false
            }
            guard end <= Self.headerLimit else {
                throw Fault(description: "a part's headers have more than \(Self.headerLimit) bytes")
            }
            events.append(.begin(try MultipartHeaders(pending[..<end])))
            pending.removeFirst(end + 4)
            state = .content
            return true
        case .content:
            if let at = position(of: delimiter) {
                if at > 0 { events.append(.data(Array(pending[..<at]))) }
                events.append(.end)
                pending.removeFirst(at + delimiter.count)
                state = .afterBoundary
                return true
            }
            // The last bytes may be the beginning of a boundary.
            let ready = pending.count - (delimiter.count - 1)
            if ready > 0 {
                events.append(.data(Array(pending[..<ready])))
                pending.removeFirst(ready)
            }
            return false
        case .epilogue:
            pending = []
            return false
        }
    }

    private mutating func stepAfterBoundary() throws(Fault) -> Bool {
        // Blanks may follow the boundary (RFC 2046: transport padding).
        let blanks = pending.prefix { $0 == 32 || $0 == 9 }.count
        guard blanks <= 256 else { throw Fault(description: "a multipart boundary is followed by too many blanks") }
        guard pending.count >= blanks + 2 else { return false }
        switch (pending[blanks], pending[blanks + 1]) {
        case (45, 45):
            state = .epilogue
            return true
        case (13, 10):
            parts += 1
            guard parts <= partLimit else { throw Fault(description: "the form has more than \(partLimit) parts") }
            // The line end stays: a part without headers begins with an empty line.
            pending.removeFirst(blanks)
            state = .headers
            return true
        default: throw Fault(description: "a multipart boundary is not followed by a line end")
        }
    }

    private func position(of pattern: [UInt8]) -> Int? {
        let (text, pattern) = (pending.span, pattern.span)
        var at = 0
        while at + pattern.count <= text.count {
            if text[at] == pattern[0] {
                var length = 1
                while length < pattern.count, text[at + length] == pattern[length] { length += 1 }
                if length == pattern.count { return at }
            }
            at += 1
        }
        return nil
    }
}
