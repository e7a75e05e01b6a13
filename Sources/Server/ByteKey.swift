/// A text as a key, compared as it is written: letters with several spellings are equal as `String`s, but they are
/// different ids for clients and for the database.
struct ByteKey: Hashable, Sendable {
    private let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }
}
