/// Whether a value of the type `received` may go into an input of the type `accepted` (engine-semantics.md §3.5).
///
/// Types are names, or several separated by commas: then one in common is enough. `*` fits everything on either side.
func typesMatch(received: String, accepted: String) -> Bool {
    if received == accepted || received == "*" || accepted == "*" { return true }
    if !received.utf8.contains(UInt8(ascii: ",")) && !accepted.utf8.contains(UInt8(ascii: ",")) { return false }
    let offered = typeNames(received)
    let wanted = typeNames(accepted)
    return offered.contains("*") || wanted.contains("*") || !offered.isDisjoint(with: wanted)
}

private func typeNames(_ text: String) -> Set<Substring> {
    Set(text.split(separator: ",").map { $0.trimming { $0 == " " } })
}

extension Substring {
    /// Without the characters at both ends that satisfy `condition`.
    func trimming(_ condition: (Character) -> Bool) -> Substring {
        var rest = drop(while: condition)
        while let last = rest.last, condition(last) { rest.removeLast() }
        return rest
    }
}
