import NodeKit
import PackTools
import Tensors

/// The colours of one picture given to another (pack-nodes.md §2).
///
/// Of the pack's methods there is "mkl", the one that real workflows use: the linear map that aligns mean and covariance
/// with the least change (F. Pitié and A. Kokaram, "The linear Monge-Kantorovitch linear colour mapping", 2007).
struct ColorMatch: ValidatingNode {
    static let info = NodeInfo("ColorMatch", displayName: "Color Match", category: "KJNodes/image")
    static var checks: NodeChecks { NodeChecks(ports: ["method"]) }

    @Input(.tooltip("Whose colours are taken.")) var imageRef: Image
    @Input(.tooltip("Whose colours are changed.")) var imageTarget: Image
    @Input(.choices(["mkl", "hm", "reinhard", "mvgd", "hm-mvgd-hm", "hm-mkl-hm"])) var method: String
    @Input(.optional, .range(0.0...10.0), .step(0.01)) var strength = 1.0
    @Output("image") var result: Image

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        $method.isGiven ? objection : nil
    }

    private var objection: String? {
        method == "mkl" ? nil : "input \"method\": only \"mkl\" is supported here, found \"\(method.prefix(50))\""
    }

    func run(_ context: NodeContext) async throws {
        if let objection { throw NodeError(objection) }
        _ = try imageRef.size()
        _ = try imageTarget.size()
        let (reference, target) = (imageRef.tensor, imageTarget.tensor)
        guard reference.shape[3] >= 3, target.shape[3] >= 3 else {
            throw NodeError(
                "pictures with 3 colours are needed, found \(reference.shape[3]) and \(target.shape[3]) channels")
        }
        guard reference.shape[0] == 1 || reference.shape[0] == target.shape[0] else {
            throw NodeError(
                "\(reference.shape[0]) reference pictures for \(target.shape[0]) pictures; give one, or as many")
        }
        var frames: [Tensor] = []
        for item in 0..<target.shape[0] {
            try context.checkCancellation()
            let other = reference.shape[0] == 1 ? 0 : item
            frames.append(
                try matched(
                    target.slice(axis: 0, item..<item + 1).slice(axis: 3, 0..<3).asFloat32(),
                    to: reference.slice(axis: 0, other..<other + 1).slice(axis: 3, 0..<3).asFloat32()))
        }
        result = Image(try HostMath.concatenate(frames, axis: 0))
    }

    private func matched(_ image: Tensor, to reference: Tensor) throws -> Tensor {
        let (source, wanted) = (try ColourStatistics(image), try ColourStatistics(reference))
        let map = source.covariance.transport(to: wanted.covariance)
        let strength = Float(strength)
        return try image.withElements(of: Float.self) { pixels in
            try Tensor.build(image.shape, of: Float.self) { out in
                for start in stride(from: 0, to: pixels.count, by: 3) {
                    let centred = (0..<3).map { Double(pixels[start + $0]) - source.mean[$0] }
                    for channel in 0..<3 {
                        var value = wanted.mean[channel]
                        for k in 0..<3 { value += centred[k] * map[k, channel] }
                        let old = pixels[start + channel]
                        out[start + channel] = min(max(old + strength * (Float(value) - old), 0), 1)
                    }
                }
            }
        }
    }
}

/// Mean and covariance of the colours of a picture `[1, height, width, 3]`.
private struct ColourStatistics {
    var mean = [0.0, 0.0, 0.0]
    var covariance = SymmetricMatrix()

    init(_ image: Tensor) throws {
        let values = try image.floats()
        let count = Double(values.count / 3)
        for (i, value) in values.enumerated() { mean[i % 3] += Double(value) / count }
        for start in stride(from: 0, to: values.count, by: 3) {
            let centred = (0..<3).map { Double(values[start + $0]) - mean[$0] }
            for row in 0..<3 {
                for column in 0..<3 {
                    covariance[row, column] += centred[row] * centred[column] / max(count - 1, 1)
                }
            }
        }
    }
}
