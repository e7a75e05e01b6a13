import Images
import PackTools
import Tensors

/// What is done to a mask `[1, height, width]` before it is cut (pack-nodes.md §7, steps 2 to 6).
enum MaskPreparation {
    private static let levels: [Float] = [
        1, 0.99, 0.97, 0.95, 0.93, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1,
    ]

    /// Holes filled level by level: what is enclosed by values of a level gets at least that level.
    static func holesFilled(_ mask: Tensor) throws -> Tensor {
        var result = try mask.asFloat32()
        let values = try mask.floats()
        var lastCount = 0
        for level in levels {
            // A level that adds no pixel encloses nothing new; sharp masks have one level only.
            let count = values.count { $0 >= level }
            if count == lastCount { continue }
            lastCount = count
            let set = try HostMath.map(mask) { $0 >= level ? 1 : 0 }
            let filled = try fillHoles(closed(set))
            result = try HostMath.zip(result, filled) { $1 > 0 ? max($0, level) : $0 }
        }
        return result
    }

    /// Dilated and eroded with a 3 × 3 square; the outside counts as set.
    private static func closed(_ mask: Tensor) throws -> Tensor {
        let (height, width) = (mask.shape[1], mask.shape[2])
        let padded = try Remapping.apply(
            mask.asSingleChannelPictures(), rows: Remapping.padded(height, before: 1, after: 1),
            columns: Remapping.padded(width, before: 1, after: 1), fill: [1]
        ).asMask()
        let dilated = try growMask(padded, by: 1, tapered: false)
            .slice(axis: 1, 1..<height + 1).slice(axis: 2, 1..<width + 1).asFloat32()
        // An erosion whose outside takes no part treats it as set.
        return try growMask(dilated, by: -1, tapered: false)
    }

    /// The maximum over a square of about 3/8 of `pixels` to each side.
    static func expanded(_ mask: Tensor, by pixels: Int) throws -> Tensor {
        guard pixels > 0 else { return mask }
        let side = (Double(pixels) / 4 * 1.5 + 1).rounded(.up)
        return try WindowMaximum.square(mask, side: side.truncatedInt)
    }

    /// Blurred with a standard deviation of an eighth of `pixels`.
    static func blurred(_ mask: Tensor, by pixels: Int) throws -> Tensor {
        guard pixels > 0 else { return mask }
        let sigma = Double(pixels) * 0.5 / 4
        let blur = GaussianFilter(radius: (4 * sigma + 0.5).truncatedInt, sigma: sigma, edge: .symmetric)
        return try HostMath.map(blur(mask.asSingleChannelPictures()).asMask()) { min(max($0, 0), 1) }
    }

    /// Without values below a limit.
    static func highPass(_ mask: Tensor, _ limit: Double) throws -> Tensor {
        guard limit >= 0.01 else { return mask }
        let limit = Float(limit)
        return try HostMath.map(mask) { $0 < limit ? 0 : $0 }
    }
}
