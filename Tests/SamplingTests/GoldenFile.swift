import Foundation
import JSON
import Tensors

/// A golden file among the test's resources: its float32 and float64 tensors by name.
struct GoldenFile {
    let tensors: [String: Tensor]

    struct Malformed: Error { var file: String }

    init(_ name: String) throws {
        guard let url = Bundle.module.url(forResource: "Files/" + name, withExtension: "safetensors") else {
            throw Malformed(file: name)
        }
        let data = try Data(contentsOf: url)
        let size = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let header = try JSON(parsing: data[8..<8 + size])
        var tensors: [String: Tensor] = [:]
        for (key, entry) in header.objectValue ?? [:] where key != "__metadata__" {
            guard let dtype = entry["dtype"]?.stringValue.flatMap(DType.init(rawValue:)),
                let shape = entry["shape"]?.arrayValue?.compactMap(\.intValue),
                let range = entry["data_offsets"]?.arrayValue?.compactMap(\.intValue), range.count == 2
            else { throw Malformed(file: name) }
            let bytes = data[(8 + size + range[0])..<(8 + size + range[1])]
            tensors[key] = try Tensor.buildBytes(Shape(shape), dtype: dtype) { out in
                bytes.withUnsafeBytes { out.copyMemory(from: $0) }
            }
        }
        self.tensors = tensors
    }

    func floats(_ key: String) throws -> [Float] {
        guard let tensor = tensors[key] else { throw Malformed(file: key) }
        return try tensor.floats()
    }

    func double(_ key: String) throws -> Double {
        guard let tensor = tensors[key] else { throw Malformed(file: key) }
        return try tensor.withElements(of: Double.self) { $0[0] }
    }

    static func json(_ name: String) throws -> JSON {
        guard let url = Bundle.module.url(forResource: "Files/" + name, withExtension: "json") else {
            throw Malformed(file: name)
        }
        return try JSON(parsing: Data(contentsOf: url))
    }
}

/// The largest distance in units in the last place.
func ulps(_ a: [Float], _ b: [Float]) -> Int {
    guard a.count == b.count else { return .max }
    func ordered(_ x: Float) -> Int {
        let bits = Int(Int32(bitPattern: x.bitPattern))
        return bits < 0 ? Int(Int32.min) - bits : bits
    }
    return zip(a, b).map { abs(ordered($0) - ordered($1)) }.max() ?? 0
}

/// ‖a − b‖ / ‖b‖.
func relativeError(_ a: [Float], _ b: [Float]) -> Double {
    guard a.count == b.count else { return .infinity }
    var difference = 0.0
    var size = 0.0
    for (x, y) in zip(a, b) {
        difference += Double(x - y) * Double(x - y)
        size += Double(y) * Double(y)
    }
    return size == 0 ? difference.squareRoot() : (difference / size).squareRoot()
}
