import Engine
import JSON

/// Validation's findings for people.
enum FaultText {
    /// So many faults are shown: a workflow from elsewhere may have millions.
    private static let limit = 500

    /// Every fault with its node, input, what was found, what is allowed and the nearest name.
    static func lines(_ report: ValidationReport) -> [String] {
        var lines: [String] = []
        var shown = 0
        for node in report.nodes {
            for fault in node.faults {
                if shown < limit { lines += self.lines(fault, node) }
                shown += 1
            }
        }
        if shown > limit { lines.append("… and \(shown - limit) more faults; --json shows all") }
        // Faults of the whole prompt that stand at no node.
        if let error = report.error, lines.isEmpty {
            lines.append(error.message + (error.details.isEmpty ? "" : ": " + printable(error.details)))
            if let allowed = error.allowed { lines.append("  expected: " + printable(allowed)) }
        }
        return lines
    }

    private static func lines(_ fault: PromptFault, _ node: ValidationReport.NodeReport) -> [String] {
        let title = node.title == node.classType ? "" : " \"\(printable(node.title))\""
        let input = fault.input.map { ", input \(printable($0))" } ?? ""
        var lines = ["node \(printable(node.id))\(title) (\(printable(node.classType)))\(input): \(summary(fault))"]
        if let found = fault.found { lines.append("  found:    " + printable(found)) }
        if let allowed = fault.allowed, !allowed.isEmpty { lines.append("  expected: " + printable(allowed)) }
        if let nearest = fault.nearest { lines.append("  did you mean \"\(printable(nearest))\"?") }
        if !node.dependentOutputs.isEmpty {
            let ids = node.dependentOutputs.prefix(8).joined(separator: ", ")
            let rest = node.dependentOutputs.count > 8 ? ", …" : ""
            lines.append("  so these outputs cannot run: " + printable(ids + rest))
        }
        return lines
    }

    /// The catalogue's message where a person would say it so, else our own words.
    private static func summary(_ fault: PromptFault) -> String {
        switch fault.kind {
        case .requiredInputMissing: "a required input is missing"
        case .badLink: "the link leads nowhere"
        case .typeMismatch: "the linked output has another type"
        case .invalidInputType: "the value cannot be read as the declared type"
        case .tooSmall: "the value is too small"
        case .tooBig: "the value is too big"
        case .notInList: "the value is not among the choices"
        case .customValidation: "the value is not accepted"
        case .missingNodeType: "the node type is not known"
        case .dependencyCycle: "the links form a circle"
        default: printable(fault.message)
        }
    }
}

/// A text out of a workflow for a terminal: control characters must not move its cursor, nor marks of direction turn
/// what is beside it around.
func printable(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(4000) {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: out.append("\u{FFFD}")
        // Joiners hold emoji together.
        case .format where scalar.value != 0x200D && scalar.value != 0x200C: out.append("\u{FFFD}")
        default: out.append(scalar)
        }
    }
    return String(out)
}
