/// What can go wrong in sampling: in a schedule, a latent, a mask, or because a name is unknown.
public struct SamplingError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// No sampler or scheduler of that name.
        case unknownName
        /// Noise levels that cannot be sampled.
        case schedule
        /// A latent or mask of the wrong shape.
        case shape
        /// NaN or infinite numbers.
        case notFinite
        /// A parameter outside its range.
        case parameter
    }
    /// What code switches on.
    public var code: Code
    /// What a person reads.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
