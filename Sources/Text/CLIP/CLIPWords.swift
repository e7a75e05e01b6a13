@_spi(_Unicode) import Swift

/// Cuts text into the words that CLIP's byte-pair encoding works on.
///
/// The rules are those of the tokenizer that Stable Diffusion was trained with, in the variant without HTML and
/// encoding repair (families-unet-sampling.md §4.4).
enum CLIPWords {
    /// UTF-8 bytes of each word, cleaned and in lower case. A literal special token is a word of its own.
    static func split(_ text: some StringProtocol) -> [[UInt8]] {
        var words: [[UInt8]] = []
        for run in clean(text).split(whereSeparator: \.properties.isWhitespace) {
            cut(lowercased(run), into: &words)
        }
        return words
    }

    /// Drops what is no text, sets ideographs apart by spaces, composes accents.
    private static func clean(_ text: some StringProtocol) -> [Unicode.Scalar] {
        var scalars: [Unicode.Scalar] = []
        var isComposed = true
        for scalar in text.unicodeScalars {
            if isSpace(scalar) {
                scalars.append(" ")
            } else if isControl(scalar) || scalar.value == 0xFFFD {
                continue
            } else if isIdeograph(scalar.value) {
                scalars += [" ", scalar, " "]
                isComposed = false
            } else {
                scalars.append(scalar)
                // Nothing below U+0300 combines, so most prompts need no normalisation.
                if scalar.value >= 0x300 { isComposed = false }
            }
        }
        return isComposed ? scalars : composed(scalars)
    }

    /// Canonical composition (NFC). Foundation offers it publicly, but loading Foundation would double the time the
    /// program takes to start; the standard library has it for comparing strings.
    private static func composed(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return Array(String(view)._nfc)
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", "\t", "\n", "\r": true
        default: scalar.value > 0x7F && scalar.properties.generalCategory == .spaceSeparator
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        if (0x20..<0x7F).contains(scalar.value) { return false }
        return switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }

    private static func isIdeograph(_ value: UInt32) -> Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B820...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    /// Lower case with the one rule of Unicode that looks at neighbours: Σ at the end of a word is ς.
    private static func lowercased(_ word: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        for index in word.indices {
            let scalar = word[index]
            if scalar == "Σ" {
                let before = word[..<index].last { !$0.properties.isCaseIgnorable }
                let after = word[(index + 1)...].first { !$0.properties.isCaseIgnorable }
                let isFinal = before?.properties.isCased == true && after?.properties.isCased != true
                result.append(isFinal ? "ς" : "σ")
            } else if scalar.isASCII {
                result.append(("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar)
            } else {
                result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return result
    }

    // The reference's pattern ignores case, with two consequences that lower-casing alone does not have: ſ counts as s
    // in a contraction, and the combining iota U+0345, a mark whose capital is a letter, matches nothing at all.
    private static let contractions: [[Unicode.Scalar]] =
        ["'s", "'ſ", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.unicodeScalars) }
    private static let combiningIota: Unicode.Scalar = "\u{345}"
    private static let literals: [[Unicode.Scalar]] =
        [CLIPTokenizer.startLiteral, CLIPTokenizer.endLiteral].map { Array($0.unicodeScalars) }

    private enum Kind { case letter, digit, other, nothing }

    private static func kind(_ scalar: Unicode.Scalar) -> Kind {
        if scalar.isASCII {
            return switch scalar {
            case "a"..."z", "A"..."Z": .letter
            case "0"..."9": .digit
            default: .other
            }
        }
        if scalar == combiningIota { return .nothing }
        return switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
        case .decimalNumber, .letterNumber, .otherNumber: .digit
        default: .other
        }
    }

    /// Special tokens, contractions, runs of letters, single digits, runs of other signs; in this order of preference.
    private static func cut(_ run: [Unicode.Scalar], into words: inout [[UInt8]]) {
        var start = 0
        while start < run.count {
            var end = start + 1
            let rest = run[start...]
            let kind = kind(run[start])
            if let literal = fixed(rest) {
                end = start + literal.count
            } else if kind != .digit {
                while end < run.count, self.kind(run[end]) == kind { end += 1 }
            }
            defer { start = end }
            if kind == .nothing { continue }
            words.append(run[start..<end].flatMap { Array(UTF8.encode($0) ?? UTF8.encodedReplacementCharacter) })
        }
    }

    private static func fixed(_ rest: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar]? {
        switch rest.first {
        case "<": literals.first { rest.starts(with: $0) }
        case "'": contractions.first { rest.starts(with: $0) }
        default: nil
        }
    }
}
