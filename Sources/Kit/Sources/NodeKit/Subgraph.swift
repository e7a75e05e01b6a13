import JSON

/// A piece of graph that a node makes while it runs, to be run in its place (engine-semantics.md §10).
///
/// ```swift
/// var graph = context.subgraph()
/// let half = graph.add("ImageScaleBy", ["image": .value(image), "upscale_method": "area", "scale_by": 0.5])
/// let blurred = graph.add("ImageBlur", ["image": .link(half[0]), "blur_radius": 3, "sigma": 1.0])
/// context.expand(graph)
/// $result.link(blurred[0])
/// ```
/// Constants are not checked: values outside a range reach the node. Nodes that nothing links to and that are no output
/// nodes are not run.
public struct Subgraph: Sendable {
    /// One node of the piece.
    public struct Node: Sendable {
        public let id: String
        public let classType: String
        /// By port, in order.
        public internal(set) var inputs: [(name: String, value: GraphInput)]
        /// The node that people see at work; the one that expands if `nil`.
        public let displayID: String?
    }

    /// A node of a ``Subgraph`` to link to.
    public struct Handle: Sendable, Hashable {
        public let id: String
        /// One of its outputs.
        public subscript(slot: Int) -> GraphLink { GraphLink(node: id, slot: slot) }
    }

    public private(set) var nodes: [Node] = []
    private let prefix: String

    /// - Parameter node: id of the node that makes the piece.
    init(node: String, call: Int, index: Int) { prefix = "\(shortened(node)).\(call).\(index)." }

    /// Adds a node.
    ///
    /// - Parameters:
    ///   - name: its id within this piece; a number if `nil`. Must be the same in every run, else results of the piece
    ///     are computed anew. A name used twice is reported when the piece is run.
    ///   - displayID: id of the node that people see at work.
    @discardableResult
    public mutating func add(
        _ classType: String, _ inputs: KeyValuePairs<String, GraphInput> = [:], named name: String? = nil,
        displayID: String? = nil
    ) -> Handle {
        let handle = handle(named: name ?? String(nodes.count + 1))
        nodes.append(
            Node(id: handle.id, classType: classType, inputs: inputs.map { ($0.key, $0.value) }, displayID: displayID))
        return handle
    }

    /// The node of that name, also before it is added.
    public func handle(named name: String) -> Handle { Handle(id: prefix + name) }

    /// Sets an input of a node that was added.
    public mutating func set(_ node: Handle, _ input: String, to value: GraphInput) {
        guard let index = nodes.firstIndex(where: { $0.id == node.id }) else { return }
        if let place = nodes[index].inputs.firstIndex(where: { $0.name == input }) {
            nodes[index].inputs[place].value = value
        } else {
            nodes[index].inputs.append((input, value))
        }
    }
}

extension GraphInput: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral
{
    public init(integerLiteral value: Int) { self = .literal(.int(Int64(value))) }
    public init(floatLiteral value: Double) { self = .literal(.double(value)) }
    public init(stringLiteral value: String) { self = .literal(.string(value)) }
    public init(booleanLiteral value: Bool) { self = .literal(.bool(value)) }
}

/// The graph as it is at the moment, with what expansions have added: for nodes that repeat a part of it.
///
/// Given to nodes that list ``HiddenInput/liveGraph``.
public protocol LiveGraph: Sendable {
    /// A node by its id; `nil` when there is none, or none any more.
    func node(_ id: String) -> LiveNode?
}

/// A node of a ``LiveGraph``.
public struct LiveNode: Sendable {
    public var id: String
    public var classType: String
    /// By port, in the order of the workflow.
    public var inputs: [(name: String, value: GraphInput)]
    /// The node whose expansion it belongs to.
    public var parentID: String?
    /// The node that people see at work.
    public var displayID: String

    public init(
        id: String, classType: String, inputs: [(name: String, value: GraphInput)], parentID: String? = nil,
        displayID: String
    ) {
        self.id = id
        self.classType = classType
        self.inputs = inputs
        self.parentID = parentID
        self.displayID = displayID
    }

    public subscript(input: String) -> GraphInput? { inputs.first { $0.name == input }?.value }
}

/// An id that stands for a long one: ids of pieces within pieces would grow with every turn of a loop.
private func shortened(_ id: String) -> String {
    let limit = 48
    guard id.utf8.count > 2 * limit else { return id }
    // FNV-1a. Two ids with the same short form would be reported as duplicates, not mixed up.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in id.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let start = String(decoding: id.utf8.prefix(limit), as: UTF8.self)
    return start + "~" + String(hash, radix: 16)
}
