import Images
public import Tensors

/// Makes small pictures of latents that are not finished.
public struct LatentPreview: Sendable {
    private enum Method: Sendable {
        case colours([[Float]])
        case decoder(TinyAutoencoder)
    }
    private let method: Method
    private let size: Int

    /// - Parameters:
    ///   - space: of the latents.
    ///   - decoder: the space's tiny autoencoder; without it a picture is a linear combination of the channels.
    ///   - size: the longer side of the pictures in pixels.
    public init(_ space: LatentSpace, decoder: TinyAutoencoder?, size: Int) {
        method = decoder.map { .decoder($0) } ?? .colours(space.colours)
        self.size = min(max(size, 1), 16384)
    }

    /// - Parameter latent: `[batch, channels, h, w]` in model units; the first item is shown.
    /// - Returns: `[1, height, width, 3]`, 0…1, whose longer side is the size asked for.
    public func callAsFunction(_ latent: Tensor, on backend: any Backend) throws -> Tensor {
        guard latent.shape.rank == 4, latent.shape.count > 0 else {
            throw TensorError(.shapeMismatch, "a latent [batch, channels, h, w] can be shown, found \(latent.shape)")
        }
        let first = try latent.slice(axis: 0, 0..<1)
        switch method {
        case .colours(let colours): return try fitted(Self.mixed(first.asFloat32(), colours))
        case .decoder(let decoder): return try fitted(decoder.decodeModelUnits(first, on: backend))
        }
    }

    private static func mixed(_ latent: Tensor, _ colours: [[Float]]) throws -> Tensor {
        let (height, width) = (latent.shape[2], latent.shape[3])
        guard latent.shape[1] == colours.count else {
            throw TensorError(
                .shapeMismatch, "a latent of \(colours.count) channels was to be shown, found \(latent.shape)")
        }
        return try latent.withElements(of: Float.self) { values in
            try Tensor.build([1, height, width, 3], of: Float.self) { out in
                for pixel in 0..<height * width {
                    for colour in 0..<3 {
                        var sum: Float = 0
                        for channel in colours.indices {
                            sum += colours[channel][colour] * values[channel * height * width + pixel]
                        }
                        out[pixel * 3 + colour] = min(max((sum + 1) / 2, 0), 1)
                    }
                }
            }
        }
    }

    /// Enlarged or made smaller so that the longer side has the size asked for.
    private func fitted(_ picture: Tensor) throws -> Tensor {
        let (height, width) = (picture.shape[1], picture.shape[2])
        let longer = max(height, width)
        if longer == size { return picture }
        func side(_ length: Int) -> Int { max(1, Int((Double(length) * Double(size) / Double(longer)).rounded())) }
        return try resizeImage(
            picture, width: side(width), height: side(height), method: longer < size ? .bilinear : .area)
    }
}
