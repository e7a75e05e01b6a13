/// A decoded frame: RGBA bytes, and where its alpha came from.
struct Raster {
    enum Alpha {
        /// There is none: every sample is 255.
        case none
        /// An alpha channel, or transparent palette entries: LoadImage makes a mask of it.
        case channel
        /// One colour is declared transparent: only a conversion to RGBA sees it, as in Pillow.
        case colourKey
    }

    /// Four channels.
    var pixels: ByteImage
    var alpha: Alpha
}
