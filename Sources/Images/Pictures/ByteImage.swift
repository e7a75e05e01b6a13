public import Tensors

/// A picture of 8-bit samples, `[height, width, channels]`, as files hold it and as Pillow computes with it.
public struct ByteImage: Sendable {
    public let width: Int
    public let height: Int
    /// 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.
    public let channels: Int
    /// uint8 `[height, width, channels]`, contiguous.
    public let tensor: Tensor

    /// A picture whose samples are written by `body`, row by row from the top; they start out undefined.
    ///
    /// - Throws: ``ImageError/Code/outOfMemory``, and what `body` throws.
    init(
        width: Int, height: Int, channels: Int, _ body: (inout MutableSpan<UInt8>) throws -> Void
    ) throws {
        guard width > 0, height > 0, channels > 0, Shape.checkedCount([width, height, channels]) != nil else {
            throw ImageError(.invalidArgument, "a picture of \(width)×\(height) pixels cannot be made")
        }
        self.width = width
        self.height = height
        self.channels = channels
        tensor = try Tensor.build([height, width, channels], of: UInt8.self, body)
    }

    /// - Precondition: the tensor is uint8 `[height, width, channels]`, contiguous.
    init(width: Int, height: Int, channels: Int, tensor: Tensor) {
        self.width = width
        self.height = height
        self.channels = channels
        self.tensor = tensor
    }

    /// The samples, row by row.
    func withSamples<Result>(_ body: (Span<UInt8>) throws -> Result) throws -> Result {
        try tensor.withElements(of: UInt8.self, body)
    }
}

/// Runs `body` and turns the errors of tensors into ``ImageError``.
func imageErrors<Result>(_ body: () throws -> Result) throws(ImageError) -> Result {
    do {
        return try body()
    } catch let error as ImageError {
        throw error
    } catch let error as TensorError {
        throw ImageError(error.code == .outOfMemory ? .outOfMemory : .invalidArgument, error.message)
    } catch {
        throw ImageError(.invalidArgument, "\(error)")
    }
}
