import NodeKit

/// Stands for an output node while a run is planned: needs what that node needs, and saves nothing.
struct PlanSink: Node {
    static let classType = "graphrun plan sink"
    static let info = NodeInfo(classType, category: "", isOutput: true)

    @UndeclaredInputs var inputs

    func run(_ context: NodeContext) async throws {}
}
