public import JSON
import Tensors

/// What a run would do, found without running it.
public struct RunPlan: Sendable {
    public struct Node: Sendable {
        public var id: String
        public var classType: String
        public var title: String
        /// The nodes that feed it.
        public var sources: [String]
        public var isOutput: Bool
        /// Whether its result is there from an earlier run.
        public var isCached: Bool
        /// Whether only cached nodes need it.
        public var isSkipped: Bool
        /// The files that it opens.
        public var files: [File]
        public var work: CountedWork
        /// Seconds it would take.
        public var seconds: Double
        /// The most memory that tensors take while it runs, those of other nodes included.
        public var memory: Int
    }

    public struct File: Sendable, Hashable {
        public var path: String
        public var bytes: Int
    }

    /// In the order in which they would run.
    public var nodes: [Node]
    /// All files, each once.
    public var files: [File]
    /// What was assumed of the machine.
    public var speed: MachineSpeed
    /// Bytes of weights that LoRAs change, of which a float32 run holds copies.
    public var patchedBytes: Int
    /// Memory of the machine that is free or could be freed; `nil` when unknown.
    public var availableMemory: Int?
    /// Why planning ended early: what a run would fail with.
    public var failure: String?

    public var seconds: Double { nodes.reduce(0) { $0 + $1.seconds } }
    public var operations: Double { nodes.reduce(0) { $0 + $1.work.operations } }
    /// The most memory that tensors and changed weights take at once, with what the allocator keeps of freed tensors;
    /// mapped files are not in it.
    public var memory: Int {
        let tensors = nodes.map(\.memory).max() ?? 0
        return tensors + min(tensors, HostMemory.cacheLimit) + patchedBytes
    }
    /// Bytes of the model files: read through the page cache, which holds them as far as memory allows.
    public var fileBytes: Int { files.reduce(0) { $0 + $1.bytes } }

    public enum Fit: String, Sendable {
        /// Tensors and files fit into memory together.
        case fits
        /// Tensors fit, but the model files have to be read again and again.
        case readsAgain = "reads files again"
        case tooLarge = "too large"
        case unknown
    }

    public var fit: Fit {
        guard let availableMemory else { return .unknown }
        if memory > availableMemory { return .tooLarge }
        return memory + fileBytes > availableMemory ? .readsAgain : .fits
    }

    public var json: JSON {
        .object([
            "nodes": .array(nodes.map(\.json)), "seconds": .double(seconds), "operations": .double(operations),
            "memory_bytes": .int(Int64(memory)), "file_bytes": .int(Int64(fileBytes)),
            "available_memory_bytes": availableMemory.map { .int(Int64($0)) } ?? .null, "fit": .string(fit.rawValue),
            "gemm_gflops": .double(speed.peak), "failure": failure.map { .string($0) } ?? .null,
            "files": .array(files.map(\.json)),
        ])
    }
}

extension RunPlan.File {
    var json: JSON { .object(["path": .string(path), "bytes": .int(Int64(bytes))]) }
}

extension RunPlan.Node {
    var json: JSON {
        .object([
            "id": .string(id), "class_type": .string(classType), "title": .string(title),
            "sources": .array(sources.map { .string($0) }), "output": .bool(isOutput), "cached": .bool(isCached),
            "skipped": .bool(isSkipped), "operations": .double(work.operations), "seconds": .double(seconds),
            "memory_bytes": .int(Int64(memory)), "files": .array(files.map(\.json)),
        ])
    }
}
