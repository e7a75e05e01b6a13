import CoreNodes
import PackTools

/// Comma separated lists of prompt tags.
enum TagList {
    /// Runs of white space become one space, " ," becomes ",", runs of commas one comma, the ends are stripped.
    static func tidied(_ text: String) -> String {
        var scalars = collapsed(Array(text.unicodeScalars), to: " ", where: PythonText.isWhiteSpace)
        scalars = Array(LiteralReplacement.replacing(" ,", in: string(scalars), with: ",").unicodeScalars)
        scalars = collapsed(scalars, to: ",") { $0 == "," }
        let stripped = scalars.drop(while: PythonText.isWhiteSpace).reversed().drop(while: PythonText.isWhiteSpace)
            .reversed()
        return string(Array(stripped))
    }

    /// Runs of two or more scalars of a kind become one `replacement`; a single one stays what it is.
    private static func collapsed(
        _ text: [Unicode.Scalar], to replacement: Unicode.Scalar, where isKind: (Unicode.Scalar) -> Bool
    ) -> [Unicode.Scalar] {
        var out: [Unicode.Scalar] = []
        var position = 0
        while position < text.count {
            let run = text[position...].prefix(while: isKind).count
            out.append(run >= 2 ? replacement : text[position])
            position += max(run, 1)
        }
        return out
    }

    private static func string(_ scalars: [Unicode.Scalar]) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
