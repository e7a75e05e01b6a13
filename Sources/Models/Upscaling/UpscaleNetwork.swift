import Tensors

/// A network that enlarges pictures.
protocol UpscaleNetwork: Sendable {
    /// For people: "ESRGAN, 64 channels, 23 blocks".
    var description: String { get }
    /// How many times wider and higher the result is.
    var scale: Int { get }
    /// About how many bytes a call needs for each pixel of the picture.
    var bytesPerPixel: Int { get }
    /// How many times ``callAsFunction(_:on:onStep:)`` calls `onStep`.
    var steps: Int { get }
    /// Bytes of weights that are no views of the file.
    var ownByteCount: Int { get }

    /// - Parameters:
    ///   - picture: `[1, height, width, 3]`, 0…1, host memory.
    ///   - onStep: called after every step; what it throws ends the call.
    /// - Returns: `[1, scale · height, scale · width, 3]`, host memory, not clamped.
    func callAsFunction(_ picture: Tensor, on b: any Backend, onStep: () throws -> Void) throws -> Tensor
}
