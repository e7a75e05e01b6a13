/// A rectangle of a latent, in latent elements.
public struct LatentArea: Sendable, Hashable, CustomStringConvertible {
    public var height: Int
    public var width: Int
    /// Rows above and columns before it.
    public var y: Int
    public var x: Int

    public init(height: Int, width: Int, y: Int, x: Int) {
        self.height = height
        self.width = width
        self.y = y
        self.x = x
    }

    public var description: String { "\(width)×\(height) at (\(x), \(y))" }
}
