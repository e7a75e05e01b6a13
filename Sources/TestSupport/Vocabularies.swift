import Foundation
import Tensors

/// The released vocabularies, which the repository may not carry.
public enum Vocabularies {
    /// The root of the package's checkout.
    public static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A folder with `clip` and `t5`: `GRAPHRUN_TOKENIZERS`, else `../shared/tokenizers`, else the `models/tokenizers`
    /// of the working folder.
    public static let folder: String? = [
        ProcessInfo.processInfo.environment["GRAPHRUN_TOKENIZERS"],
        packageRoot.deletingLastPathComponent().appendingPathComponent("shared/tokenizers").path,
        packageRoot.appendingPathComponent("models/tokenizers").path,
    ].compactMap(\.self).first { FileManager.default.fileExists(atPath: $0 + "/t5/tokenizer.json") }

    /// Whether there is such a folder, with this file in it ("pile-t5/tokenizer.model").
    public static func contains(_ file: String) -> Bool {
        folder.map { FileManager.default.fileExists(atPath: $0 + "/" + file) } ?? false
    }
}

/// Relative RMS error |a − e| / |e|, as the goldens' `compare.py` measures it.
public func relativeError(_ actual: Tensor, _ expected: Tensor) throws -> Double {
    let (a, e) = (try actual.floats(), try expected.floats())
    guard a.count == e.count else { return .infinity }
    var difference = 0.0
    var size = 0.0
    for i in a.indices {
        difference += (Double(a[i]) - Double(e[i])) * (Double(a[i]) - Double(e[i]))
        size += Double(e[i]) * Double(e[i])
    }
    let ratio = size > 0 ? (difference / size).squareRoot() : (difference / Double(max(a.count, 1))).squareRoot()
    return ratio.isFinite ? ratio : .infinity
}
