/// The prompt language of front ends: comments go, `{a|b|c}` becomes one of its parts (ui-format.md §3).
struct DynamicPrompt {
    /// The parts chosen from blocks that had more than one.
    private(set) var choices: [String] = []
    /// Texts with deeper blocks stay as they are.
    static let maximumDepth = 1000
    private var random: SplitMix

    init(random: SplitMix) { self.random = random }

    /// Removes `/* … */` and `// …` to the end of the line, replaces every block by one of its parts (inner blocks
    /// first; a block with one part loses its braces), and takes the backslash from `\{`, `\}` and `\|`. Braces that
    /// do not pair stay.
    mutating func expand(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0 == "{" || $0 == "}" || $0 == "/" || $0 == "\\" }) else {
            return text
        }
        // Blocks that are open: their finished parts and the part being read. The bottom is the text itself.
        var blocks: [(parts: [String.UnicodeScalarView], current: String.UnicodeScalarView)] = [([], .init())]
        var escaped = false
        let source = Self.withoutComments(text)
        for scalar in source.unicodeScalars {
            let top = blocks.count - 1
            if top > Self.maximumDepth { return source }
            if escaped {
                escaped = false
                if scalar != "{", scalar != "}", scalar != "|" { blocks[top].current.append("\\") }
                if scalar == "\\" {
                    escaped = true
                } else {
                    blocks[top].current.append(scalar)
                }
            } else if scalar == "\\" {
                escaped = true
            } else if scalar == "{" {
                blocks.append(([], .init()))
            } else if scalar == "|", top > 0 {
                blocks[top].parts.append(blocks[top].current)
                blocks[top].current = .init()
            } else if scalar == "}", let block = top > 0 ? blocks.popLast() : nil {
                blocks[top - 1].current.append(contentsOf: choose(from: block.parts + [block.current]))
            } else {
                blocks[top].current.append(scalar)
            }
        }
        if escaped { blocks[blocks.count - 1].current.append("\\") }
        var out = String.UnicodeScalarView()
        for (depth, block) in blocks.enumerated() {
            if depth > 0 { out.append("{") }
            for part in block.parts {
                out.append(contentsOf: part)
                out.append("|")
            }
            out.append(contentsOf: block.current)
        }
        return String(out)
    }

    private mutating func choose(from parts: [String.UnicodeScalarView]) -> String.UnicodeScalarView {
        guard parts.count > 1 else { return parts.first ?? .init() }
        let chosen = parts[Int(random.next() % UInt64(parts.count))]
        choices.append(String(chosen))
        return chosen
    }

    /// The text without comments; a `/*` without its end stays.
    private static func withoutComments(_ text: String) -> String {
        let source = Array(text.utf8)
        let slash = UInt8(ascii: "/")
        let star = UInt8(ascii: "*")
        var out: [UInt8] = []
        out.reserveCapacity(source.count)
        var index = 0
        // Once no end was found, there is none further on either.
        var mayClose = true
        while index < source.count {
            let next = index + 1 < source.count ? source[index + 1] : 0
            if source[index] == slash, next == slash {
                while index < source.count, source[index] != UInt8(ascii: "\n"), source[index] != UInt8(ascii: "\r") {
                    index += 1
                }
                continue
            }
            if source[index] == slash, next == star, mayClose {
                var end = index + 2
                while end + 1 < source.count, !(source[end] == star && source[end + 1] == slash) { end += 1 }
                if end + 1 < source.count {
                    index = end + 2
                    continue
                }
                mayClose = false
            }
            out.append(source[index])
            index += 1
        }
        return String(decoding: out, as: UTF8.self)
    }
}
