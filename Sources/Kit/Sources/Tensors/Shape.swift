/// The extents of a tensor, outermost first; at most six dimensions, kept inline.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The largest supported number of dimensions.
    public static let maximumRank = 6

    @usableFromInline var dims: InlineArray<6, Int>
    /// Number of dimensions; 0 is a scalar.
    public let rank: Int

    /// - Precondition: at most ``maximumRank`` dimensions. Shapes from files are checked before they get here.
    public init(_ dimensions: some Collection<Int>) {
        precondition(dimensions.count <= Self.maximumRank, "a tensor has at most 6 dimensions")
        var dims = InlineArray<6, Int>(repeating: 1)
        for (index, dimension) in dimensions.enumerated() { dims[index] = dimension }
        self.dims = dims
        rank = dimensions.count
    }

    public init(arrayLiteral elements: Int...) { self.init(elements) }

    @inlinable public subscript(axis: Int) -> Int {
        precondition(axis >= 0 && axis < rank)
        return dims[axis]
    }

    /// The dimensions as an array.
    public var array: [Int] { (0..<rank).map { dims[$0] } }

    /// Product of all dimensions (1 for a scalar).
    public var count: Int {
        var product = 1
        for axis in 0..<rank { product *= dims[axis] }
        return product
    }

    /// The last dimension, 1 for a scalar.
    public var last: Int { rank == 0 ? 1 : dims[rank - 1] }

    /// The shape with one dimension replaced.
    public func replacing(_ axis: Int, with value: Int) -> Shape {
        var copy = array
        copy[axis] = value
        return Shape(copy)
    }

    /// Row-major strides in elements.
    public var rowMajorStrides: Shape {
        var strides = [Int](repeating: 1, count: rank)
        var running = 1
        for axis in stride(from: rank - 1, through: 0, by: -1) {
            strides[axis] = running
            running *= dims[axis]
        }
        return Shape(strides)
    }

    /// The product of `dimensions`, or `nil` when one is negative or the product overflows.
    public static func checkedCount(_ dimensions: [Int]) -> Int? {
        var product = 1
        for dimension in dimensions {
            guard dimension >= 0 else { return nil }
            let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            product = next
        }
        return product
    }

    public static func == (a: Shape, b: Shape) -> Bool {
        guard a.rank == b.rank else { return false }
        for axis in 0..<a.rank where a.dims[axis] != b.dims[axis] { return false }
        return true
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(rank)
        for axis in 0..<rank { hasher.combine(dims[axis]) }
    }

    public var description: String { "[" + array.map(String.init).joined(separator: ", ") + "]" }
}
