internal import JSON
@_spi(_Unicode) import Swift

/// One step of the normalisation that a `tokenizer.json` asks for.
enum NormalizationStep: Sendable {
    case characterMap(CharacterMap)
    case strip(left: Bool, right: Bool)
    /// Runs of at least `minimum` times `pattern` become `content`.
    case replace(pattern: [Unicode.Scalar], minimum: Int, isRun: Bool, content: [Unicode.Scalar])
    case lowercase
    case compose
    case decompose
    case prepend([Unicode.Scalar])

    /// The steps in order; none for `null`.
    static func list(_ value: JSON, file: String) throws(TokenizerError) -> [NormalizationStep] {
        func fault(_ code: TokenizerError.Code, _ message: String) -> TokenizerError {
            TokenizerError(code, file: file, "normalizer: \(message)")
        }
        func text(_ key: String) throws(TokenizerError) -> String {
            guard let text = value[key]?.stringValue else { throw fault(.malformed, "\(key) is missing or no string") }
            return text
        }
        if value.isNull { return [] }
        let type = try text("type")
        switch type {
        case "Sequence":
            guard let items = value["normalizers"]?.arrayValue else {
                throw fault(.malformed, "Sequence has no list of normalizers")
            }
            var steps: [NormalizationStep] = []
            for item in items { steps += try list(item, file: file) }
            return steps
        case "Precompiled":
            guard let encoded = value["precompiled_charsmap"] else { return [] }
            if encoded.isNull { return [] }
            guard let blob = Base64.decode(try text("precompiled_charsmap")) else {
                throw fault(.malformed, "precompiled_charsmap is no base64 text")
            }
            return [.characterMap(try CharacterMap(blob, file: file))]
        case "Strip":
            return [
                .strip(left: value["strip_left"]?.boolValue ?? true, right: value["strip_right"]?.boolValue ?? true)
            ]
        case "Replace":
            let content = Array(try text("content").unicodeScalars)
            if let pattern = value["pattern"]?["String"]?.stringValue, !pattern.isEmpty {
                return [.replace(pattern: Array(pattern.unicodeScalars), minimum: 1, isRun: false, content: content)]
            }
            guard let regex = value["pattern"]?["Regex"]?.stringValue, let run = run(Array(regex.unicodeScalars)) else {
                throw fault(.unsupported, "only patterns like \" {2,}\" and \" +\" are implemented for Replace")
            }
            return [.replace(pattern: [run.scalar], minimum: run.minimum, isRun: true, content: content)]
        case "Lowercase": return [.lowercase]
        case "NFC": return [.compose]
        case "NFD": return [.decompose]
        case "Prepend": return [.prepend(Array(try text("prepend").unicodeScalars))]
        default: throw fault(.unsupported, "the type \(type) is not implemented")
        }
    }

    /// The regular expressions `X+` and `X{n,}` for one plain character X.
    private static func run(_ regex: [Unicode.Scalar]) -> (scalar: Unicode.Scalar, minimum: Int)? {
        guard let scalar = regex.first, !"\\^$.|?*+()[]{}".unicodeScalars.contains(scalar) else { return nil }
        let rest = regex.dropFirst()
        if rest.elementsEqual("+".unicodeScalars) { return (scalar, 1) }
        guard rest.count > 3, rest.first == "{", rest.suffix(2).elementsEqual(",}".unicodeScalars),
            let minimum = Int(String(String.UnicodeScalarView(rest.dropFirst().dropLast(2)))),
            (1..<1000).contains(minimum)
        else { return nil }
        return (scalar, minimum)
    }

    func apply(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        switch self {
        case .characterMap(let map): return Array(map.rewrite(Self.string(text)).unicodeScalars)
        case .strip(let left, let right):
            var slice = text[...]
            if left { slice = slice.drop { $0.properties.isWhitespace } }
            if right { while slice.last?.properties.isWhitespace == true { slice.removeLast() } }
            return Array(slice)
        case .replace(let pattern, let minimum, let isRun, let content):
            return Self.replace(text, pattern, minimum, isRun, content)
        case .lowercase: return text.flatMap { Array($0.properties.lowercaseMapping.unicodeScalars) }
        case .compose: return Array(Self.string(text)._nfc)
        case .decompose: return Array(Self.string(text)._nfd)
        case .prepend(let prefix): return text.isEmpty ? text : prefix + text
        }
    }

    private static func string(_ scalars: [Unicode.Scalar]) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private static func replace(
        _ text: [Unicode.Scalar], _ pattern: [Unicode.Scalar], _ minimum: Int, _ isRun: Bool,
        _ content: [Unicode.Scalar]
    ) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var index = 0
        while index < text.count {
            var end = index
            if isRun {
                while end < text.count, text[end] == pattern[0] { end += 1 }
                if end > index, end - index < minimum {
                    result += text[index..<end]
                    index = end
                    continue
                }
            } else if text[index...].starts(with: pattern) {
                end = index + pattern.count
            }
            if end > index {
                result += content
                index = end
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }
}
