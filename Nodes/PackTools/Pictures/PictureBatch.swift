public import Tensors

/// Making pictures of different batches fit each other.
public enum PictureBatch {
    /// The batch with the last picture repeated up to `count`.
    public static func extended(_ image: Tensor, to count: Int) throws -> Tensor {
        let have = image.shape[0]
        guard have > 0, have < count else { return image }
        let last = try image.slice(axis: 0, have - 1..<have)
        return try HostMath.concatenate([image] + Array(repeating: last, count: count - have), axis: 0)
    }

    /// Both with as many channels as the one that has more; added ones are 1 (opaque).
    public static func sameChannels(_ a: Tensor, _ b: Tensor) throws -> (Tensor, Tensor) {
        let count = max(a.shape[3], b.shape[3])
        return (try withChannels(a, count), try withChannels(b, count))
    }

    /// With more channels of 1, or fewer.
    public static func withChannels(_ image: Tensor, _ count: Int) throws -> Tensor {
        let have = image.shape[3]
        if have == count { return image }
        if have > count { return try image.slice(axis: 3, 0..<count).asFloat32() }
        let rest = try Tensor.full(image.shape.replacing(3, with: count - have), 1)
        return try HostMath.concatenate([image, rest], axis: 3)
    }
}
