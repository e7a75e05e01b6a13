import Foundation
import JSON
import Tensors

/// A tiny reader for fixtures.
struct Safetensors {
    let header: JSONObject
    let data: Data

    init(_ path: String) throws {
        let file = try fixtureData(path)
        let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        header = try JSON(parsing: file[8..<8 + length]).objectValue ?? JSONObject()
        data = file[(8 + length)...]
    }

    var keys: [String] { header.keys.filter { $0 != "__metadata__" } }

    subscript(key: String) -> Tensor? {
        guard let entry = header[key], let dtype = entry["dtype"]?.stringValue.flatMap(DType.init(rawValue:)),
            let shape = entry["shape"]?.arrayValue?.compactMap(\.intValue),
            let offsets = entry["data_offsets"]?.arrayValue?.compactMap(\.intValue)
        else { return nil }
        let bytes = data[(data.startIndex + offsets[0])..<(data.startIndex + offsets[1])]
        return try? Tensor.buildBytes(Shape(shape), dtype: dtype) { bytes.copyBytes(to: $0) }
    }

    func bytes(_ key: String) -> [UInt8]? {
        guard let tensor = self[key] else { return nil }
        return try? tensor.withBytes { Array($0) }
    }
}

func fixturePath(_ path: String) -> String {
    Bundle.module.bundleURL.appendingPathComponent("Files").appendingPathComponent(path).path
}

func fixtureData(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: fixturePath(path))) }

/// The largest difference of two tensors; infinite when their shapes differ.
func maximumDifference(_ a: Tensor, _ b: Tensor) throws -> Float {
    guard a.shape == b.shape else { return .infinity }
    return zip(try a.floats(), try b.floats()).reduce(0) { worst, pair in
        pair.0.isNaN && pair.1.isNaN ? worst : max(worst, (pair.0 - pair.1).isNaN ? .infinity : abs(pair.0 - pair.1))
    }
}
