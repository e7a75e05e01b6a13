import CPattern
import NodeKit

/// A pattern as PCRE2 has compiled it; texts are UTF-8 and places are bytes.
@safe final class CompiledPattern: Sendable {
    struct Flags: OptionSet {
        let rawValue: Int32
        static let ignoresCase = Flags(rawValue: Int32(CPATTERN_CASELESS))
        static let multiline = Flags(rawValue: Int32(CPATTERN_MULTILINE))
        static let dotMatchesAll = Flags(rawValue: Int32(CPATTERN_DOTALL))
        static let extended = Flags(rawValue: Int32(CPATTERN_EXTENDED))
    }

    // Never changed after it was made; matching does not change it.
    private nonisolated(unsafe) let pattern: OpaquePointer
    let groupCount: Int

    /// - Throws: ``NodeError`` with what PCRE2 says of the fault, and where it is.
    init(_ text: String, _ flags: Flags) throws {
        var message = [CChar](repeating: 0, count: 256)
        var place = 0
        let bytes = Array(text.utf8)
        let made = unsafe cpattern_make(bytes, bytes.count, flags.rawValue, &message, message.count, &place)
        guard let made = unsafe made else {
            let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw NodeError("\(reason) (at byte \(place))")
        }
        unsafe pattern = made
        groupCount = unsafe cpattern_group_count(made)
    }

    deinit { unsafe cpattern_free(pattern) }

    /// The number of a named group.
    func group(named name: String) -> Int? {
        let number = unsafe cpattern_group(pattern, name)
        return number > 0 ? Int(number) : nil
    }

    /// The places of the next match and of its groups; `nil` for groups that took no part.
    ///
    /// - Parameter mayBeEmpty: whether an empty match counts that begins at `start` itself.
    /// - Returns: `nil` when there is no further match.
    /// - Throws: ``NodeError`` where the pattern takes too many steps for the text.
    func find(in text: [UInt8], from start: Int, mayBeEmpty: Bool) throws -> [Range<Int>?]? {
        var places = [Int](repeating: -1, count: 2 * (groupCount + 1))
        let result = unsafe places.withUnsafeMutableBufferPointer { places in
            unsafe places.withMemoryRebound(to: UInt.self) { places in
                unsafe cpattern_find(pattern, text, text.count, start, mayBeEmpty ? 1 : 0, places.baseAddress)
            }
        }
        switch Int(result) {
        case CPATTERN_FOUND:
            return stride(from: 0, to: places.count, by: 2).map { index in
                let (begin, end) = (places[index], places[index + 1])
                return begin >= 0 && end >= begin ? begin..<end : nil
            }
        case CPATTERN_NONE: return nil
        case CPATTERN_TOO_MANY_STEPS:
            throw NodeError(
                "it needs more than 5 million steps for this text: nested repetitions such as (a+)+ are to be avoided")
        default: throw NodeError("it cannot be matched with this text")
        }
    }
}
