@testable import Text

/// Builds SentencePiece's character map: a double-array trie and its replacements.
enum CharacterMapBuilder {
    static func blob(_ rules: [(String, String)]) -> [UInt8] {
        final class Node {
            var children: [(UInt8, Node)] = []
            var value: Int?
        }
        let root = Node()
        var replacements: [UInt8] = []
        for (key, replacement) in rules {
            var node = root
            for byte in key.utf8 {
                if let child = node.children.first(where: { $0.0 == byte })?.1 {
                    node = child
                } else {
                    let child = Node()
                    node.children.append((byte, child))
                    node = child
                }
            }
            node.value = replacements.count
            replacements += Array(replacement.utf8) + [0]
        }
        var units = [UInt32](repeating: 0, count: 1 << 14)
        var used = [Bool](repeating: false, count: units.count)
        used[0] = true
        var queue = [(0, root)]
        while !queue.isEmpty {
            let (position, node) = queue.removeFirst()
            let labels = node.children.map { Int($0.0) } + (node.value == nil ? [] : [0])
            if labels.isEmpty { continue }
            let base = (1..<units.count - 256).first { base in labels.allSatisfy { !used[base ^ $0] } } ?? 1
            units[position] |= UInt32(position ^ base) << 10
            if let value = node.value {
                units[position] |= 1 << 8
                units[base] = 1 << 31 | UInt32(value)
                used[base] = true
            }
            for (byte, child) in node.children {
                units[base ^ Int(byte)] = UInt32(byte)
                used[base ^ Int(byte)] = true
                queue.append((base ^ Int(byte), child))
            }
        }
        let size = UInt32(units.count * 4)
        return ([size] + units).flatMap { unit in (0..<4).map { UInt8(truncatingIfNeeded: unit >> (8 * $0)) } }
            + replacements
    }
}

/// Writes the protobuf of a SentencePiece model.
struct SentencePieceBuilder {
    var pieces: [(text: String, score: Float, role: UInt64)] = []
    var kind: UInt64 = 1
    var byteFallback = false
    var suffix = false
    var map: [UInt8] = []
    var prefix = true
    var removeSpaces = true
    var escape = true
    var start = 1
    var end = 2

    static func number(_ value: UInt64) -> [UInt8] {
        var value = value
        var bytes: [UInt8] = []
        repeat {
            bytes.append(UInt8(value & 0x7F) | (value > 0x7F ? 0x80 : 0))
            value >>= 7
        } while value > 0
        return bytes
    }
    static func field(_ field: UInt64, _ value: UInt64) -> [UInt8] { number(field << 3) + number(value) }
    static func field(_ field: UInt64, _ value: [UInt8]) -> [UInt8] {
        number(field << 3 | 2) + number(UInt64(value.count)) + value
    }

    var bytes: [UInt8] {
        var out: [UInt8] = []
        for piece in pieces {
            let score = piece.score.bitPattern
            out += Self.field(
                1,
                Self.field(1, Array(piece.text.utf8)) + [0x15]
                    + (0..<4).map { UInt8(truncatingIfNeeded: score >> (8 * $0)) } + Self.field(3, piece.role))
        }
        out += Self.field(
            2,
            Self.field(3, kind) + Self.field(24, suffix ? 1 : 0) + Self.field(35, byteFallback ? 1 : 0)
                + Self.field(41, UInt64(bitPattern: Int64(start))) + Self.field(42, UInt64(bitPattern: Int64(end))))
        out += Self.field(
            3,
            Self.field(2, map) + Self.field(3, prefix ? 1 : 0) + Self.field(4, removeSpaces ? 1 : 0)
                + Self.field(5, escape ? 1 : 0))
        return out
    }

    /// `<unk>`, `<s>`, `</s>` and then these.
    init(_ list: [(String, Float)], kind: UInt64 = 1) {
        pieces = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3)] + list.map { ($0.0, $0.1, 1) }
        self.kind = kind
    }

    func name(_ id: Int) -> String { pieces.indices.contains(id) ? pieces[id].text : "?\(id)" }
}

/// Writes a small T5-like `tokenizer.json`.
struct UnigramJSON {
    var pieces: [(String, Double)] = [("<pad>", 0), ("</s>", 0), ("<unk>", 0)]
    var normalizer = "null"
    var preTokenizer = #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"}"#
    var added = #"{"id": 0, "content": "<pad>"}, {"id": 1, "content": "</s>"}, {"id": 2, "content": "<unk>"}"#
    var byteFallback = false
    var unknown = "2"

    init(_ list: [(String, Double)]) { pieces += list }

    var text: String {
        let vocabulary = pieces.map { "[\"\($0.0)\", \($0.1)]" }.joined(separator: ",")
        return """
            {"version": "1.0", "truncation": null, "added_tokens": [\(added)], "normalizer": \(normalizer),
             "pre_tokenizer": \(preTokenizer), "post_processor": {"single": [{"a": [1, -2.5e3, true]}]},
             "model": {"type": "Unigram", "unk_id": \(unknown), "vocab": [\(vocabulary)],
                       "byte_fallback": \(byteFallback)}}
            """
    }
    func tokenizer() throws -> UnigramTokenizer { try UnigramTokenizer(jsonBytes: Array(text.utf8)) }
    func encode(_ text: String) throws -> [String] { try tokenizer().encode(text).map { name($0) } }
    func name(_ id: Int) -> String { pieces.indices.contains(id) ? pieces[id].0 : "?\(id)" }
}

enum Encode64 {
    static func text(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var out = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = (0..<3).reduce(UInt32(0)) { $0 << 8 | UInt32($1 < group.count ? group[start + $1] : 0) }
            for digit in 0..<4 {
                out.append(digit > group.count ? "=" : alphabet[Int(bits >> UInt32(18 - 6 * digit) & 63)])
            }
        }
        return out
    }
}
