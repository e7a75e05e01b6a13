import Images
public import JSON
public import NodeKit
import Tensors

/// Writes batches of pictures to a folder and tells the front end their names (engine-semantics.md §18).
public struct PictureWriter {
    /// The folder type in what the front end is told.
    public enum Destination: String, Sendable {
        /// Pictures that are kept.
        case output
        /// Previews, removed at the end.
        case temporary = "temp"
    }

    let destination: Destination
    let folder: String
    let texts: [ImageText]
    let compressionLevel: Int

    public init(_ destination: Destination, _ context: NodeContext) {
        self.destination = destination
        folder = destination == .output ? context.files.outputFolder : context.files.temporaryFolder
        texts = Self.texts(context)
        compressionLevel = destination == .output ? 4 : 1
    }

    /// Writes every picture of a batch as `PREFIX_NNNNN_.png`.
    ///
    /// - Parameter prefix: may contain folders and tokens such as `%width%`.
    /// - Returns: `{filename, subfolder, type}` of each.
    /// - Throws: `ImageError` for a prefix that leaves the folder and for what cannot be written.
    public func write(_ images: Image, prefix: String) throws -> [JSON] {
        let tensor = images.tensor
        guard tensor.shape.rank == 4 else {
            throw NodeError("pictures have the shape [batch, height, width, channels], found \(tensor.shape)")
        }
        var name = try OutputName(prefix: prefix, outputFolder: folder, width: images.width, height: images.height)
        return try (0..<images.batch).map { index in
            let picture = try tensor.slice(axis: 0, index..<index + 1)
            let file = try PNGWriter.write(
                picture, to: &name, batchNumber: index, texts: texts, compressionLevel: compressionLevel)
            return .object([
                "filename": .string(file), "subfolder": .string(name.subfolder),
                "type": .string(destination.rawValue),
            ])
        }
    }

    /// A prefix for previews that no other node of the run uses.
    public static func previewPrefix(_ beginning: String, _ context: NodeContext) -> String {
        // Ids may hold ":" and whatever a file has in it; a name shared by accident only continues the numbers.
        beginning + "_"
            + context.nodeID.unicodeScalars.map { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                    ? String(scalar) : "-"
            }.joined()
    }

    /// The workflow, as the reference writes it: `prompt`, then every further text under its key.
    private static func texts(_ context: NodeContext) -> [ImageText] {
        context.workflowTexts.map { ImageText($0.key, $0.text) }
    }
}
