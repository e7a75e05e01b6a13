/// The node types that exist in front ends only (ui-format.md §7, §10). They are never emitted.
enum VirtualNode {
    /// Output number n passes on input number n.
    case wire
    /// Its value is copied into the widgets it is linked to.
    case primitive
    /// Names what its input carries.
    case setter
    /// Stands for the setter of the same name.
    case getter
    /// Notes, labels, switches for other nodes, senders: nothing passes through.
    case inert

    /// What kind of front-end node a type is; `nil` for nodes that run.
    init?(_ type: String) {
        switch type {
        case "Reroute", "Reroute (rgthree)": self = .wire
        case "PrimitiveNode": self = .primitive
        case "SetNode", "easy setNode": self = .setter
        case "GetNode", "easy getNode": self = .getter
        case "Note", "MarkdownNote", "Label (rgthree)", "Bookmark (rgthree)", "Fast Groups Muter (rgthree)",
            "Fast Groups Bypasser (rgthree)", "Fast Muter (rgthree)", "Fast Bypasser (rgthree)",
            "Mute / Bypass Repeater (rgthree)", "Mute / Bypass Relay (rgthree)", "Node Collector (rgthree)",
            "Node Combiner (rgthree)", "Fast Actions Button (rgthree)", "Random Unmuter (rgthree)",
            "Anything Everywhere", "Anything Everywhere?", "Anything Everywhere3", "Prompts Everywhere":
            self = .inert
        default: return nil
        }
    }
}
