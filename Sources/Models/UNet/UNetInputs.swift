import Checkpoints
import Diffusion
import Layers
import Tensors

/// What a UNet or its ControlNet is given beside the latent, made from a call (families-unet-sampling.md §5, §11.4).
enum UNetInputs {
    /// The label vector `[batch, label width]` of SDXL: pooled text, then sizes as sinusoids.
    ///
    /// - Throws: ``Checkpoints/CheckpointError`` when the pooled vector is of another width, which means a text encoder
    ///   of another family.
    static func vector(
        _ call: NetworkCall, _ shape: UNetEncoderShape, _ augmentor: NoiseAugmentor? = nil, name: String
    ) throws -> Tensor? {
        guard let columns = shape.labelWidth else { return nil }
        let entry = call.entry
        // Drawn from a generator of its own, so that the noise is not the latent's.
        let seen = try entry[UnclipPictures.self].flatMap { pictures in
            try augmentor?.vector(pictures, seed: call.geometry.seed &- 10)
        }
        if shape.kind == .sd2 {
            return try HostMath.cycleBatch(seen ?? Tensor.zeros([1, columns]), to: call.x.shape[0])
        }
        let width = 256
        let pooledWidth = columns - shape.kind.pictureNumbers * width
        let batch = call.x.shape[0]
        guard pooledWidth > 0 else {
            throw CheckpointError(
                .unsupported, "\(name): a label embedding of \(columns) columns has no room for a pooled text vector")
        }
        let pooled =
            try seen?.slice(axis: 1, 0..<pooledWidth).asFloat32() ?? entry[PooledOutput.self]
            ?? Tensor.zeros([batch, pooledWidth])
        guard pooled.shape.rank == 2, pooled.shape[1] == pooledWidth else {
            throw CheckpointError(
                .shapeMismatch,
                "\(shape.kind.rawValue) takes a pooled text vector of \(pooledWidth) numbers, the conditioning has "
                    + "\(pooled.shape): its text encoder belongs to another model family")
        }
        let size = call.geometry.latentShape
        let height = entry[PictureHeight.self] ?? size[2] * 8
        let pictureWidth = entry[PictureWidth.self] ?? size[3] * 8
        var numbers = [height, pictureWidth, entry[PictureCropTop.self] ?? 0, entry[PictureCropLeft.self] ?? 0]
            .map { Float($0) }
        if shape.kind == .refiner {
            numbers.append(entry[AestheticScore.self] ?? (entry[NegativePrompt.self] == true ? 2.5 : 6))
        } else {
            numbers.append(Float(entry[PictureTargetHeight.self] ?? height))
            numbers.append(Float(entry[PictureTargetWidth.self] ?? pictureWidth))
        }
        let sinusoids = try timeEmbedding(numbers, width: width).reshaped([1, numbers.count * width])
        return try HostMath.concatenate(
            [HostMath.cycleBatch(pooled, to: batch), HostMath.cycleBatch(sinusoids, to: batch)], axis: 1)
    }

    /// What turns pictures into the label vector: of Stable unCLIP half of it is the picture, half its level of noise; of
    /// SDXL the picture takes the place of the pooled text ("revision").
    static func augmentor(
        _ source: WeightSource, _ shape: UNetEncoderShape
    ) throws(CheckpointError) -> NoiseAugmentor? {
        guard let columns = shape.labelWidth else { return nil }
        switch shape.kind {
        case .sd2:
            guard columns % 2 == 0 else {
                throw CheckpointError(
                    .unsupported,
                    "\(source.name): a label embedding of \(columns) columns is not that of an unCLIP model")
            }
            return try NoiseAugmentor(source, width: columns / 2, levelOfSums: 0.05)
        case .sdxl:
            let width = columns - shape.kind.pictureNumbers * 256
            return width > 0 && width % 2 == 0
                ? try NoiseAugmentor(WeightSource(name: source.name), width: width, levelOfSums: 0) : nil
        case .sd1, .refiner: return nil
        }
    }

    /// The text features, checked.
    static func context(_ call: NetworkCall, _ shape: UNetEncoderShape, name: String) throws -> Tensor {
        let context = call.entry.context
        if let width = shape.contextWidth, context.shape.rank != 3 || context.shape[2] != width {
            throw CheckpointError(
                .shapeMismatch,
                "\(name) (\(shape.kind.rawValue)) takes text features of width \(width), the conditioning has "
                    + "\(context.shape): its text encoder belongs to another model family")
        }
        return try HostMath.cycleBatch(context, to: call.x.shape[0])
    }

    /// The latent with what inpainting networks see beside it: x, mask, masked picture; `[batch, channels, h, w]`.
    static func latent(_ call: NetworkCall, inputChannels: Int, format: LatentFormat) throws -> Tensor {
        guard inputChannels > format.channels else { return call.x }
        let size = call.geometry.latentShape
        let batch = call.x.shape[0]
        let given = call.entry[ConcatMask.self]
        var mask: Tensor
        var picture: Tensor
        if given == nil, call.geometry.noiseMask == nil, call.entry[ConcatLatent.self] == nil {
            // Nothing says what to paint: all of it, over the latent of a grey picture.
            mask = try Tensor.full([1, 1, size[2], size[3]], 1)
            picture = try Tensor([0.8223, -0.6876, 0.6364, 0.1380], shape: [1, 4, 1, 1])
                .broadcast(to: [1, 4, size[2], size[3]]).asFloat32()
        } else {
            mask = try given.map(plane) ?? call.geometry.noiseMask ?? Tensor.full([1, 1, size[2], size[3]], 1)
            mask = try HostMath.map(ConcatInput.fitted(mask, height: size[2], width: size[3])) {
                $0.rounded(.toNearestOrEven)
            }
            picture =
                try call.entry[ConcatLatent.self].map {
                    try format.toModel(ConcatInput.fitted($0, height: size[2], width: size[3]))
                } ?? call.geometry.latent
        }
        let parts = try [mask, picture].map {
            try ConcatInput.cut(ConcatInput.spread($0, to: batch), to: call.area)
        }
        return try HostMath.concatenate([call.x] + parts, axis: 1)
    }

    /// A mask as `[batch, 1, height, width]`.
    private static func plane(_ mask: Tensor) throws -> Tensor {
        let shape = mask.shape
        guard shape.rank >= 2 else { throw TensorError(.shapeMismatch, "a mask has the shape \(shape)") }
        let (height, width) = (shape[shape.rank - 2], shape[shape.rank - 1])
        let planes = height * width == 0 ? 0 : mask.count / (height * width)
        return try mask.asFloat32().reshaped([planes, 1, height, width])
    }
}
