import NodeKit

/// The shapes of the node types in a file: from this program's nodes, else from the table of the reference's nodes,
/// else nothing but the widget names that the file itself shows.
final class ShapeCatalogue {
    /// A widget as a slot in the file names it.
    struct Widget {
        var name: String
        var type: String
    }

    private let schemas: SchemaSource
    private let file: GraphFile
    private var shapes: [String: NodeShape?] = [:]
    private var learned: [String: [Widget]]?

    init(_ schemas: @escaping SchemaSource, file: GraphFile) {
        self.schemas = schemas
        self.file = file
    }

    func shape(_ type: String) -> NodeShape? {
        if let known = shapes[type] { return known }
        let shape = (schemas(type) ?? ReferenceNodes.schema(type)).map(NodeShape.init)
        shapes[type] = .some(shape)
        return shape
    }

    /// The widgets that nodes of an unknown type have, as far as the file shows: since front end 1.16 every widget has
    /// a slot with its name, though unconnected ones may be left out. The most complete node of the type counts.
    func learnedWidgets(_ type: String) -> [Widget] {
        if let learned { return learned[type] ?? [] }
        var found: [String: [Widget]] = [:]
        for graph in [file.root] + file.subgraphs.values.map(\.graph) {
            for node in graph.nodes {
                let widgets = node.markedWidgets
                if widgets.count > found[node.type]?.count ?? 0 { found[node.type] = widgets }
            }
        }
        learned = found
        return found[type] ?? []
    }
}

extension GraphNode {
    /// The widgets that have a slot in the file, in order.
    var markedWidgets: [ShapeCatalogue.Widget] {
        inputs.compactMap { slot in slot.widget.map { ShapeCatalogue.Widget(name: $0, type: slot.type) } }
    }
}
