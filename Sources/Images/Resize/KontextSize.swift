/// The sizes that FLUX Kontext was trained with (`families-flux.md` §6), by width.
public enum KontextSize {
    private static let sizes = [
        (672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184), (944, 1104),
        (1024, 1024), (1104, 944), (1184, 880), (1248, 832), (1328, 800), (1392, 752), (1456, 720), (1504, 688),
        (1568, 672),
    ]

    /// The size whose aspect ratio is nearest to that of `width` × `height`, of two the narrower one.
    public static func nearest(width: Int, height: Int) -> (width: Int, height: Int) {
        let aspect = Double(width) / Double(max(height, 1))
        var best = sizes[0]
        for size in sizes.dropFirst()
        where abs(aspect - Double(size.0) / Double(size.1)) < abs(aspect - Double(best.0) / Double(best.1)) {
            best = size
        }
        return (best.0, best.1)
    }
}
