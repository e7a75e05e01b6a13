import Engine
import NodeKit
import Synchronization
import Tensors

/// Collects the tensors of all nodes' outputs for `--save-outputs`.
///
/// Keys are `NODE.SLOT` followed by what the type of value adds (`.samples`); where a slot holds several values,
/// `NODE.SLOT[0]`, `NODE.SLOT[1]`, …
final class OutputArchive: Sendable {
    private struct State {
        var writer = SafetensorsWriter()
        var fault: (any Error)?
    }

    private let path: String
    private let backend: any Backend
    private let state = Mutex(State())

    init(path: String, backend: any Backend) {
        self.path = path
        self.backend = backend
    }

    func add(_ node: String, _ outputs: [[any NodeValue]]) {
        state.withLock { state in
            for (slot, values) in outputs.enumerated() {
                for (index, value) in values.enumerated() {
                    let place = "\(node).\(slot)" + (values.count == 1 ? "" : "[\(index)]")
                    for (suffix, tensor) in value.exportedTensors {
                        do {
                            state.writer.add(try onHost(tensor), as: place + suffix)
                        } catch {
                            state.fault = error
                        }
                    }
                }
            }
        }
    }

    private func onHost(_ tensor: Tensor) throws -> Tensor {
        unsafe tensor.storage.hostBytes == nil ? try backend.host(tensor) : tensor
    }

    /// - Throws: what went wrong when a tensor was fetched, and `FileError`.
    func write() throws {
        let (writer, fault) = state.withLock { ($0.writer, $0.fault) }
        if let fault { throw fault }
        try writer.write(to: path)
    }
}
