public import Checkpoints
public import Tensors

/// UPSCALE_MODEL: a network that enlarges pictures.
public struct UpscaleModel: Sendable {
    let network: any UpscaleNetwork
    /// Keys of the file that no layer reads.
    public let unusedKeys: [String]

    /// How many times wider and higher the result is.
    public var scale: Int { network.scale }
    /// What it is, for people.
    public var description: String { network.description }
    /// Bytes of memory that the weights take beyond the mapped file.
    public var ownByteCount: Int { network.ownByteCount }

    /// What training scripts put around the weights.
    private static let wrappers = ["", "params_ema.", "params-ema.", "params.", "state_dict.", "model_state_dict."]
    /// What they put before each name.
    private static let prefixes = ["", "module.", "netG.", "model.", "generator."]

    /// Recognises the architecture by its keys.
    ///
    /// - Throws: ``Checkpoints/CheckpointError``: for other architectures, named where they are known.
    public init(_ file: CheckpointFile) throws(CheckpointError) {
        for wrapper in Self.wrappers {
            for prefix in Self.prefixes {
                let source = try WeightSource(file, prefix: wrapper + prefix)
                if DenseUpscalerKeys.recognises(source) {
                    let native = try DenseUpscalerKeys.native(source)
                    network = try DenseUpscaler(native)
                    unusedKeys = native.unusedKeys
                    return
                }
                if CompactUpscaler.recognises(source) {
                    network = try CompactUpscaler(source)
                    unusedKeys = source.unusedKeys
                    return
                }
            }
        }
        throw CheckpointError(
            .unknownFamily,
            "\(file.path) is not an upscale model that is supported: \(try UpscaleArchitectures.describe(file)); supported "
                + "are ESRGAN, Real-ESRGAN, BSRGAN, RealSR and Real-ESRGAN compact (SRVGGNetCompact)")
    }

    /// Pictures `[batch, height, width, 3 or more]`, 0…1, enlarged `scale` times; further channels are left out.
    ///
    /// Large pictures are computed in tiles of `tile` pixels that share `overlap`; the seams fade into each other. When
    /// there is no memory for a tile, ones of half the size are taken, down to 128.
    ///
    /// - Parameters:
    ///   - memory: bytes that may be taken, if that is known.
    ///   - progress: told how many of how many steps are done; what it throws ends the work.
    public func enlarge(
        _ image: Tensor, on b: any Backend, tile: Int = 512, overlap: Int = 32, memory: Int? = nil,
        progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> Tensor {
        guard image.shape.rank == 4, image.shape[3] >= 3, image.shape.count > 0 else {
            throw TensorError(
                .shapeMismatch, "a picture must be [batch, height, width, 3], found \(image.shape)")
        }
        guard Shape.checkedCount([image.shape[0], image.shape[1], image.shape[2], scale * scale, 3, 4]) != nil else {
            throw TensorError(.outOfMemory, "a picture of \(image.shape) is too large to be enlarged ×\(scale)")
        }
        let colours = try image.slice(axis: 3, 0..<3)
        var side = tile
        if let memory {
            // The picture that is made, the sums it is made from, and its copy.
            let results = 40 * image.count * scale * scale
            while side / 2 >= 128, side * side * network.bytesPerPixel > max(0, memory - results) { side /= 2 }
        }
        while true {
            do {
                return try enlarge(colours, on: b, side: side, overlap: overlap, progress: progress)
            } catch let error as TensorError where error.code == .outOfMemory && side / 2 >= 128 {
                side /= 2
            }
        }
    }

    private func enlarge(
        _ image: Tensor, on b: any Backend, side: Int, overlap: Int,
        progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> Tensor {
        let pass = TilePass(
            width: side, height: side, overlap: overlap, ramp: overlap * scale, factor: scale, divisor: 1)
        let total = image.shape[0] * pass.tileCount(height: image.shape[1], width: image.shape[2]) * network.steps
        var done = 0
        var items: [Tensor] = []
        for index in 0..<image.shape[0] {
            let item = try image.slice(axis: 0, index..<index + 1).asFloat32()
            items.append(
                try pass(item) { part in
                    let result = try network(part, on: b) {
                        done += 1
                        try progress(done, total)
                    }
                    return try HostMath.map(result) { min(max($0, 0), 1) }
                })
        }
        return items.count == 1 ? items[0] : try HostMath.concatenate(items, axis: 0)
    }
}
