/// A node in events: nodes of expansions come and go, and people see the node that made them.
public struct NodeIdentity: Sendable, Hashable, CustomStringConvertible {
    public var id: String
    /// The node that people see at work.
    public var displayID: String
    /// The node whose expansion it belongs to.
    public var parentID: String?
    /// The node of the workflow that it goes back to.
    public var realID: String

    public init(id: String, displayID: String, parentID: String?, realID: String) {
        self.id = id
        self.displayID = displayID
        self.parentID = parentID
        self.realID = realID
    }

    /// A node of the workflow itself.
    public init(_ id: String) { self.init(id: id, displayID: id, parentID: nil, realID: id) }

    public var description: String { id }
}
