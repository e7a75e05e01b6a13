import Images
import NodeKit
import PackTools

/// Which pictures are resized before anything else.
enum PreresizeMode: String, CaseIterable {
    case minimum = "ensure minimum resolution"
    case maximum = "ensure maximum resolution"
    case both = "ensure minimum and maximum resolution"
}

/// Brings pictures that are too small or too large to a size in between (pack-nodes.md §7, step 1).
struct Preresize {
    var mode: PreresizeMode
    var minimum: PictureSize
    var maximum: PictureSize

    func apply(_ frame: CropFrame, _ algorithms: CropAlgorithms) throws -> CropFrame {
        let size = frame.size
        let isSmall = mode != .maximum && (size.width < minimum.width || size.height < minimum.height)
        let isLarge = mode != .minimum && (size.width > maximum.width || size.height > maximum.height)
        if isSmall && isLarge {
            throw NodeError(
                "a picture of \(size.width)×\(size.height) pixels is both below the minimum of "
                    + "\(minimum.width)×\(minimum.height) and above the maximum of \(maximum.width)×\(maximum.height)")
        }
        guard isSmall || isLarge else { return frame }
        let limit = isSmall ? minimum : maximum
        let ratios = [Double(limit.width) / Double(size.width), Double(limit.height) / Double(size.height)]
        let factor = isSmall ? max(ratios[0], ratios[1]) : min(ratios[0], ratios[1])
        func side(_ old: Int) throws -> Int {
            let exact = Double(old) * factor
            let new = (isSmall ? exact.rounded(.up) : exact).truncatedInt
            guard (1...1 << 18).contains(new) else {
                throw NodeError("preresize turns a side of \(old) pixels into \(new); 1 to 262144 are possible")
            }
            return new
        }
        let target = PictureSize(width: try side(size.width), height: try side(size.height))
        let maskFilter: PillowFilter = mode == .minimum ? .bilinear : .nearest
        return CropFrame(
            image: try pillowResized(frame.image, to: target, isSmall ? algorithms.upscale : algorithms.downscale),
            mask: try pillowResizedMask(frame.mask, to: target, maskFilter),
            contextMask: try pillowResizedMask(frame.contextMask, to: target, maskFilter))
    }
}
