internal import Glibc

/// The sizes that the scaling nodes ask for; `round` is to the nearest whole number, halves to even
/// (`families-unet-sampling.md` §18).
public enum TargetSize {
    /// ImageScale: a side of 0 follows from the other; both 0 keep the size.
    public static func image(
        width: Int, height: Int, ofWidth oldWidth: Int, height oldHeight: Int
    ) -> (width: Int, height: Int) {
        if width == 0 && height == 0 { return (oldWidth, oldHeight) }
        if width == 0 { return (max(1, rounded(Double(oldWidth) * Double(height) / Double(oldHeight))), height) }
        if height == 0 { return (width, max(1, rounded(Double(oldHeight) * Double(width) / Double(oldWidth)))) }
        return (width, height)
    }

    /// ImageScaleBy and LatentUpscaleBy.
    public static func scaled(
        by factor: Double, width: Int, height: Int
    ) -> (width: Int, height: Int) {
        (rounded(Double(width) * factor), rounded(Double(height) * factor))
    }

    /// ImageScaleToTotalPixels: a megapixel is 1024².
    public static func totalPixels(
        megapixels: Double, width: Int, height: Int
    ) -> (width: Int, height: Int) {
        let factor = ((megapixels * 1024 * 1024).rounded(.down) / (Double(width) * Double(height))).squareRoot()
        return scaled(by: factor, width: width, height: height)
    }

    /// ImageScaleToMaxDimension: the longer side gets a length, the other follows.
    public static func longerSide(
        _ length: Int, width: Int, height: Int
    ) -> (width: Int, height: Int) {
        if height > width { return (rounded(Double(width) / Double(height) * Double(length)), length) }
        if width > height { return (length, rounded(Double(height) / Double(width) * Double(length))) }
        return (length, length)
    }

    /// LatentUpscale: sizes in pixels, at least 64, then divided by 8; a side of 0 follows from the other; both 0 keep
    /// the size.
    public static func latent(
        width: Int, height: Int, ofWidth oldWidth: Int, height oldHeight: Int
    ) -> (width: Int, height: Int) {
        if width == 0 && height == 0 { return (oldWidth, oldHeight) }
        var (newWidth, newHeight) = (max(64, width), max(64, height))
        if width == 0 { newWidth = max(64, rounded(Double(oldWidth) * Double(newHeight) / Double(oldHeight))) }
        if height == 0 { newHeight = max(64, rounded(Double(oldHeight) * Double(newWidth) / Double(oldWidth))) }
        return (newWidth / 8, newHeight / 8)
    }

    /// Safe for any number: what cannot be a size becomes 0 or too large, which resizing refuses.
    private static func rounded(_ value: Double) -> Int {
        value.isNaN ? 0 : Int(min(max(value.rounded(.toNearestOrEven), 0), 1e15))
    }
}
