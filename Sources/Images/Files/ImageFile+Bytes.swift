extension ImageFile {
    /// The first frame as bytes, turned upright by its EXIF orientation.
    ///
    /// - Returns: RGBA samples, and whether the file has an alpha channel (without one every alpha is 255).
    /// - Throws: ``ImageError``.
    public func byteImage() throws(ImageError) -> (image: ByteImage, hasAlpha: Bool) {
        try naming { () throws(ImageError) in
            try imageErrors {
                let raster = try rasters(onlyFirst: true)[0]
                return (raster.pixels, raster.alpha != .none)
            }
        }
    }
}
