import JSON
import NIOCore

/// The texts in the header of a safetensors file (format: github.com/huggingface/safetensors).
enum SafetensorsMetadata {
    /// Headers above this size are not read for it (server-api.md §3).
    private static let limit = 1 << 20

    /// The object under `__metadata__`; `nil` when there is none or the file is no safetensors file.
    static func read(_ file: OpenedFile) throws(FolderFault) -> JSONObject? {
        guard let length = try file.read(at: 0, count: 8).getInteger(at: 0, endianness: .little, as: UInt64.self),
            length <= UInt64(limit), length > 0
        else { return nil }
        let header = try file.read(at: 8, count: Int(length))
        guard header.readableBytes == Int(length), let json = try? JSON(parsing: header.readableBytesView) else {
            return nil
        }
        return json["__metadata__"]?.objectValue
    }
}
