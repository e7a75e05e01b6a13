import Foundation

/// A safetensors file of float32 tensors, one zero each.
func safetensorsFile(keys: [String]) -> Data {
    let entries = keys.enumerated().map { index, key in
        #""\#(key)": {"dtype": "F32", "shape": [1], "data_offsets": [\#(4 * index), \#(4 * index + 4)]}"#
    }
    let header = Data("{\(entries.joined(separator: ", "))}".utf8)
    var length = UInt64(header.count).littleEndian
    return Data(bytes: &length, count: 8) + header + Data(count: 4 * keys.count)
}
