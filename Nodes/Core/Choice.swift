import NodeKit

/// What a check throws, as a node's reason against its constants.
func reasonAgainst(_ check: () throws -> Void) -> String? {
    do {
        try check()
        return nil
    } catch {
        return "\(error)"
    }
}

/// The case that a combo's text names. A text that came over a link was not validated.
///
/// - Throws: ``NodeError`` listing what is allowed.
public func choice<Choice: RawRepresentable<String> & CaseIterable>(_ text: String, _ input: String) throws -> Choice {
    guard let found = Choice(rawValue: text) else {
        let allowed = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw NodeError("input \"\(input)\": \"\(text)\" is unknown; use one of: \(allowed)")
    }
    return found
}
