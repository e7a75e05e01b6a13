internal import Synchronization
public import Tensors

/// A stretch of rows of a weight, as one tensor of a file holds it.
public struct WeightPiece: Sendable {
    /// Rows of the whole weight that the tensor holds.
    public var rows: Range<Int>
    public var tensor: Tensor
    /// Its key in the file, for messages.
    public var fileKey: String
    /// Factor of scaled-fp8 files.
    public var scale: Float

    public init(rows: Range<Int>, tensor: Tensor, fileKey: String, scale: Float = 1) {
        self.rows = rows
        self.tensor = tensor
        self.fileKey = fileKey
        self.scale = scale
    }
}

/// The weights of one part of a model under the names that our layers use, wherever they come from: another dialect
/// is a table of renames applied when the source is made, a fused projection may be several tensors of the file, and
/// patches (LoRA) lie on top. Nothing is copied until a layer asks.
public struct WeightSource: Sendable {
    /// File name for messages.
    public let name: String
    public private(set) var pieces: [String: [WeightPiece]]
    /// Changes by weight key, in the order they were added.
    public internal(set) var patches: [String: [WeightPatch]] = [:]
    /// The type in which the reference holds every parameter; `nil`: float32, nothing is rounded.
    public var heldAs: DType?
    /// Put before a weight's key to get the name that seeds stochastic rounding ("diffusion_model.").
    public var fullNamePrefix = ""
    /// Whether patched weights are rounded to ``heldAs`` exactly as the reference does (fp32 runs). Otherwise the
    /// patches stay apart and unrounded, which is the better picture and needs no memory.
    public var roundsPatches = false

    let usage = KeyUsage()
    let fused: FusedWeights

    public init(name: String, pieces: [String: [WeightPiece]] = [:]) {
        self.name = name
        self.pieces = pieces
        fused = FusedWeights()
    }

    /// The tensors of `file` whose keys start with `prefix`, named without it. Scaled-fp8 factors are attached to
    /// their weights.
    public init(_ file: CheckpointFile, prefix: String = "") throws(CheckpointError) {
        self.init(name: file.path)
        for key in file.keys where key.hasPrefix(prefix) {
            let name = String(key.dropFirst(prefix.count))
            if name == "scaled_fp8" || name.hasSuffix(".scale_weight") || name.hasSuffix(".scale_input") { continue }
            guard let tensor = try file.tensor(key) else { continue }
            var scale: Float = 1
            if name.hasSuffix(".weight") {
                let scaleKey = prefix + name.dropLast("weight".count) + "scale_weight"
                if let factor = try file.tensor(scaleKey) { scale = try Self.scalar(factor, scaleKey, file.path) }
            }
            pieces[name] = [
                WeightPiece(
                    rows: 0..<(tensor.shape.rank == 0 ? 1 : tensor.shape[0]), tensor: tensor, fileKey: key, scale: scale
                )
            ]
        }
    }

    private static func scalar(_ tensor: Tensor, _ key: String, _ path: String) throws(CheckpointError) -> Float {
        guard tensor.count == 1, let value = try? tensor.floats().first, value.isFinite else {
            throw CheckpointError(
                .malformed, "\(path): \"\(key)\" must be one finite number, found shape \(tensor.shape)")
        }
        return value
    }

    public var keys: [String] { pieces.keys.sorted() }
    public func contains(_ key: String) -> Bool { pieces[key] != nil }

    /// Dimensions of a weight, all pieces together.
    public func shape(_ key: String) -> [Int]? {
        guard let list = pieces[key], let first = list.first else { return nil }
        var shape = first.tensor.shape.array
        if !shape.isEmpty { shape[0] = list.map(\.rows.upperBound).max() ?? shape[0] }
        return shape
    }

    /// How many numbers 0, 1, 2, … follow `prefix` in the keys ("double_blocks." → 19).
    public func count(_ prefix: String) -> Int {
        var numbers: Set<Int> = []
        for key in pieces.keys where key.hasPrefix(prefix) {
            if let number = Int(key.dropFirst(prefix.count).prefix { $0 != "." }) { numbers.insert(number) }
        }
        var count = 0
        while numbers.contains(count) { count += 1 }
        return count
    }

    /// The source with every key renamed; keys for which `rename` gives `nil` are dropped.
    ///
    /// - Parameter rename: from a key to the new key and the rows that the tensor fills of it (`nil`: all of it).
    public func renamed(
        _ rename: (String, Tensor) -> [(key: String, rows: Range<Int>, from: Range<Int>)]?
    ) throws(CheckpointError) -> WeightSource {
        var result = WeightSource(name: name)
        result.heldAs = heldAs
        result.fullNamePrefix = fullNamePrefix
        for (key, list) in pieces {
            for piece in list {
                guard let targets = rename(key, piece.tensor) else { continue }
                for target in targets {
                    var part = piece
                    part.rows = target.rows
                    if target.from != 0..<(piece.tensor.shape.rank == 0 ? 1 : piece.tensor.shape[0]) {
                        do { part.tensor = try piece.tensor.slice(axis: 0, target.from) } catch {
                            throw CheckpointError(.shapeMismatch, "\(name): \"\(piece.fileKey)\": \(error.message)")
                        }
                    }
                    result.pieces[target.key, default: []].append(part)
                }
            }
        }
        for key in result.pieces.keys { result.pieces[key]?.sort { $0.rows.lowerBound < $1.rows.lowerBound } }
        return result
    }

    /// The source with the tensor of a key under another name and in another form (a transposed copy).
    public func replacing(_ key: String, with tensor: Tensor, as name: String) -> WeightSource {
        var copy = self
        let fileKey = pieces[key]?.first?.fileKey ?? key
        copy.pieces[key] = nil
        let rows = 0..<(tensor.shape.rank == 0 ? 1 : tensor.shape[0])
        copy.pieces[name] = [WeightPiece(rows: rows, tensor: tensor, fileKey: fileKey)]
        return copy
    }

    /// The source with `added` on top of the patches it has.
    public func patched(_ added: [String: [WeightPatch]]) -> WeightSource {
        var copy = WeightSource(name: name, pieces: pieces)
        copy.heldAs = heldAs
        copy.fullNamePrefix = fullNamePrefix
        copy.roundsPatches = roundsPatches
        copy.patches = patches
        for (key, list) in added { copy.patches[key, default: []] += list }
        return copy
    }

    /// The source with another tensor; one of that name gives way.
    public func adding(_ key: String, _ tensor: Tensor) -> WeightSource {
        var copy = self
        copy.pieces[key] = [
            WeightPiece(rows: 0..<(tensor.shape.rank == 0 ? 1 : tensor.shape[0]), tensor: tensor, fileKey: key)
        ]
        return copy
    }

    /// Notes that keys were looked at, though no layer reads them.
    public func markUsed(_ keys: [String]) { for key in keys { usage.insert(key) } }

    /// Bytes that the weights take beyond the mapped files now: those that were made, and patched ones.
    public var ownByteCount: Int {
        pieces.values.joined().reduce(fused.byteCount) { total, piece in
            piece.tensor.storage is HostStorage ? total + piece.tensor.count * piece.tensor.dtype.byteCount : total
        }
    }

    /// Keys that no layer has read.
    public var unusedKeys: [String] {
        let used = usage.keys
        return pieces.keys.filter { !used.contains($0) }.sorted()
    }
}

/// The keys that layers have read.
final class KeyUsage: Sendable {
    private let state = Mutex(Set<String>())
    var keys: Set<String> { state.withLock { $0 } }
    func insert(_ key: String) { state.withLock { _ = $0.insert(key) } }
}

/// Patched and rounded weights, made at first use.
final class FusedWeights: Sendable {
    private let state = Mutex([String: Tensor]())
    func tensor(_ key: String, _ make: () throws(CheckpointError) -> Tensor) throws(CheckpointError) -> Tensor {
        if let tensor = state.withLock({ $0[key] }) { return tensor }
        let tensor = try make()
        state.withLock { $0[key] = tensor }
        return tensor
    }

    var byteCount: Int { state.withLock { $0.values.reduce(0) { $0 + $1.count * $1.dtype.byteCount } } }
}
