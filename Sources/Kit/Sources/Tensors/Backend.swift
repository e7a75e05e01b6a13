/// The tensor operations of the models: coarse, chosen at run time.
///
/// A backend receives and returns tensors of its own memory; ``place(_:)`` and ``host(_:)`` cross the border. Weights
/// (``LinearWeight``, convolution kernels, norm scales) always arrive as host tensors in the type of the checkpoint
/// file; a backend converts them block by block or keeps device copies, keyed by `storage` identity and offset.
///
/// Token tensors are `[batch, tokens, width]`; rows may be farther apart than `width` (column views), elements within a
/// row are neighbours. Pictures are `[batch, height, width, channels]`, contiguous. Sums, norms and softmax are computed
/// in float32 whatever the type of the operands. Every operation accepts float32 and, where the backend's
/// ``computeType`` is another type, that type too.
///
/// Only the requirements without a default in the extension below need to be written for a new backend: it is correct
/// first and fast later. See the DocC article "Adding a backend".
public protocol Backend: Sendable {
    /// Name for people: "cpu", "reference".
    var name: String { get }
    /// The type in which matrix products take their operands: float32 or bfloat16.
    var computeType: DType { get }

    /// The tensor in the backend's memory.
    func place(_ x: Tensor) throws(TensorError) -> Tensor
    /// The tensor in host memory, contiguous float32.
    func host(_ x: Tensor) throws(TensorError) -> Tensor

    /// `epilogue(x Wᵀ + b)`: x `[…, in]`, result `[…, out]`.
    ///
    /// `x` is given as column blocks whose widths sum to `in`, so that a concatenation need not be made.
    func linear(_ x: [Tensor], _ weight: LinearWeight, _ epilogue: LinearEpilogue) throws(TensorError) -> Tensor

    /// softmax(scale · q kᵀ + mask) v per head: q `[batch, queries, heads·d]`, k and v `[batch, keys, heads·d]`.
    ///
    /// - Returns: `[batch, queries, heads·d]`, in the compute type if `result` is `.compute`.
    func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, scale: Float, mask: AttentionMask, result: ResultType
    ) throws(TensorError) -> Tensor

    /// The parts one after the other along the token axis, cut into heads, each head's vector normalised (RMS, ε) by
    /// the part's scale `[d]` if it has one, then rotated by `rotary` (rows for all tokens of the result).
    ///
    /// - Returns: `[batch, Σ tokens, heads·d]` in the compute type.
    func joinHeads(
        _ parts: [HeadPart], heads: Int, epsilon: Float, rotary: RotaryTable?
    ) throws(TensorError) -> Tensor

    /// Layer norm over the last axis (biased variance), then `weight` and `bias`, then `modulation`.
    func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor

    /// x · rsqrt(mean x² + ε) · weight over the last axis, then `modulation`.
    func rmsNorm(
        _ x: Tensor, weight: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor

    /// Group norm of a picture `[b, h, w, c]` with per-channel weight and bias, then the activation.
    func groupNorm(
        _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation
    ) throws(TensorError) -> Tensor

    /// Convolution of a picture `[b, h, w, in]` with a kernel `[out, in, kh, kw]` (any type), zero padding.
    func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation
    ) throws(TensorError) -> Tensor

    /// The same with source and kernel rounded to ``computeType`` where `operands` is `.compute`: for UNets. Autoencoders
    /// amplify rounding and keep every bit.
    func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation,
        operands: ResultType
    ) throws(TensorError) -> Tensor

    /// Nearest-neighbour enlargement of a picture to `height` × `width`.
    func resizeNearest(_ x: Tensor, height: Int, width: Int) throws(TensorError) -> Tensor

    /// Rows `ids` of a table `[rows, width]` of any type, as float32 `[ids, width]`.
    ///
    /// - Throws: ``TensorError/Code/shapeMismatch`` when an id is not a row of the table.
    func gather(_ table: Tensor, rows ids: [Int], heldAs: DType?) throws(TensorError) -> Tensor

    /// Element by element, float32; `b` is broadcast to the shape of `a`.
    func add(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor
    /// Element by element, float32; `b` is broadcast to the shape of `a`.
    func multiply(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor
    /// The activation of every element.
    func activate(_ x: Tensor, _ activation: Activation, result: ResultType) throws(TensorError) -> Tensor
    /// max(x, 0) + slope · min(x, 0) with a slope for every place of the last axis (PReLU), float32.
    func parametricRelu(_ x: Tensor, slopes: Tensor) throws(TensorError) -> Tensor
    /// activation(gate) · up, element by element (GLU feed-forward layers).
    func gated(
        _ gate: Tensor, _ up: Tensor, _ activation: Activation, result: ResultType
    ) throws(TensorError) -> Tensor
    /// One tensor after the other along `axis`, float32, contiguous.
    func concatenate(_ parts: [Tensor], axis: Int) throws(TensorError) -> Tensor
    /// A contiguous float32 copy (or the tensor itself).
    func contiguous(_ x: Tensor) throws(TensorError) -> Tensor
}

/// Whether a result is kept exactly or will only be the operand of further matrix products.
public enum ResultType: Sendable, Hashable {
    /// float32.
    case full
    /// The backend's ``Backend/computeType``.
    case compute
}

/// Functions applied element by element.
public enum Activation: Sendable, Hashable {
    case identity
    /// x · sigmoid(x)
    case silu
    /// ½x(1 + tanh(√(2/π)(x + 0.044715x³)))
    case geluTanh
    /// ½x(1 + erf(x/√2))
    case gelu
    /// x · sigmoid(1.702x)
    case quickGelu
    /// max(x, 0)
    case relu
    /// max(x, 0) + 0.2 min(x, 0)
    case leakyRelu
}

/// What is added to attention logits.
public enum AttentionMask: Sendable {
    case none
    /// Query i sees keys 0…i.
    case causal
    /// float32 `[1 or batch, 1 or heads, queries, keys]`, added after scaling; −∞ hides a key.
    case additive(Tensor)
}

/// One stretch of tokens whose heads are joined by ``Backend/joinHeads(_:heads:epsilon:rotary:)``.
public struct HeadPart: Sendable {
    /// `[batch, tokens, heads·d]`, possibly a column view of a fused projection.
    public var tokens: Tensor
    /// RMS norm scale `[d]`, or none.
    public var norm: Tensor?

    public init(_ tokens: Tensor, norm: Tensor? = nil) {
        self.tokens = tokens
        self.norm = norm
    }
}

/// Rotary position table: pair j of a head is rotated by the angle whose cosine and sine are at `[token, j]`.
public struct RotaryTable: Sendable {
    public enum Pairing: Sendable, Hashable {
        /// Components 2j and 2j+1 form a pair (FLUX, Lumina).
        case interleaved
        /// Components j and j + d/2 form a pair (LLaMA-style text encoders).
        case halves
    }
    /// float32 `[tokens, d/2]`.
    public var cosine: Tensor
    /// float32 `[tokens, d/2]`.
    public var sine: Tensor
    public var pairing: Pairing

    public init(cosine: Tensor, sine: Tensor, pairing: Pairing = .interleaved) {
        self.cosine = cosine
        self.sine = sine
        self.pairing = pairing
    }
}

/// x ← x · (1 + scale) + shift, per batch item: both `[batch, width]` (rows may be strided views).
public struct Modulation: Sendable {
    public var shift: Tensor?
    public var scale: Tensor

    public init(shift: Tensor?, scale: Tensor) {
        self.shift = shift
        self.scale = scale
    }
}

/// Zero padding of a picture's edges, in pixels.
public struct EdgePadding: Sendable, Hashable {
    public var top: Int
    public var left: Int
    public var bottom: Int
    public var right: Int

    public init(top: Int, left: Int, bottom: Int, right: Int) {
        self.top = top
        self.left = left
        self.bottom = bottom
        self.right = right
    }

    /// The same number of pixels on every side.
    public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }
}
