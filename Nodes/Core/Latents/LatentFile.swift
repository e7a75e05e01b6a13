import Checkpoints
import JSON
import NodeKit
import Tensors

/// Latent files: safetensors with the samples as "latent_tensor" and an empty tensor that stands for the version.
enum LatentFile {
    private static let samplesKey = "latent_tensor"
    private static let versionKey = "latent_format_version_0"

    static func encode(_ samples: Tensor, metadata: [(String, String)]) throws -> [UInt8] {
        let data = try samples.asFloat32()
        let count = data.count * DType.float32.byteCount
        func entry(_ shape: [Int], _ range: [Int]) -> JSON {
            .object([
                "dtype": .string(DType.float32.rawValue), "shape": .array(shape.map { .int(Int64($0)) }),
                "data_offsets": .array(range.map { .int(Int64($0)) }),
            ])
        }
        var header = JSONObject()
        if !metadata.isEmpty {
            var texts = JSONObject()
            for (key, text) in metadata { texts[key] = .string(text) }
            header["__metadata__"] = .object(texts)
        }
        header[samplesKey] = entry(data.shape.array, [0, count])
        header[versionKey] = entry([0], [count, count])
        var text = Array(JSON.object(header).text().utf8)
        while text.count % 8 != 0 { text.append(0x20) }
        let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        return try unsafe data.withBytes { unsafe length + text + Array($0) }
    }

    /// The samples; files from before there were versions hold them in the network's units of SD1.
    ///
    /// - Throws: `CheckpointError` for a file that is no safetensors file, ``NodeError`` for one without a latent.
    static func load(path: String) throws -> Tensor {
        let file = try CheckpointFile(path: path)
        guard let samples = try file.tensor(samplesKey) else {
            throw NodeError("\(path) holds no latent: it has no tensor \"\(samplesKey)\"")
        }
        // Copied: the file may be written anew while the latent is in use.
        let copy = try samples.converted(to: .float32)
        return file.contains(versionKey) ? copy : try HostMath.scale(copy, 1 / 0.18215)
    }
}
