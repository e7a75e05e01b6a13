/// Turns plain text into token ids, without start, end and padding.
public protocol Tokenizer: Sendable {
    /// One more than the largest id that ``encode(_:)`` can return: rows a token embedding needs.
    var vocabularySize: Int { get }

    /// Ids of a text. Any text has some; what the vocabulary lacks becomes the unknown token or bytes.
    func encode(_ text: String) -> [Int]
}
