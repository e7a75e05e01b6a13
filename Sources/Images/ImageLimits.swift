/// How much a picture file may claim before it is refused. Checked before anything of that size is allocated.
public struct ImageLimits: Sendable, Hashable {
    /// Width times height of one frame.
    public var pixels: Int
    /// Width times height, summed over the frames that are decoded.
    public var animationPixels: Int
    /// Bytes of the file.
    public var fileBytes: Int
    /// Bytes of all text chunks together, after decompression.
    public var textBytes: Int

    /// By default 2²⁸ pixels (16384²), half a GiB of file and 64 MiB of text.
    public init(
        pixels: Int = 1 << 28, animationPixels: Int = 1 << 28, fileBytes: Int = 1 << 29, textBytes: Int = 1 << 26
    ) {
        self.pixels = pixels
        self.animationPixels = animationPixels
        self.fileBytes = fileBytes
        self.textBytes = textBytes
    }
}
