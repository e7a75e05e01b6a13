import Checkpoints
import Diffusion

/// Text encoders that a loader node can build from files of their own: its type, the number of files and what they must
/// hold. One line each in ``TextEncoderSets/all``.
public struct TextEncoderSet: Sendable {
    /// The loader node's type ("sdxl").
    public var type: String
    /// How many files it takes.
    public var files: Int
    /// The encoders it needs, for messages.
    public var needs: String
    /// The encoder, given the parts found; `nil` when some are missing.
    let make: @Sendable (TextEncoderParts) throws -> (any TextEncoder)?
}

/// The sets of text encoders that can be built.
public enum TextEncoderSets {
    public static let all: [TextEncoderSet] = [
        TextEncoderSet(type: "stable_diffusion", files: 1, needs: "CLIP-L (SD1), CLIP-H (SD2) or CLIP-G (SDXL refiner)")
        {
            try CLIPTextEncoder.make($0)
        },
        TextEncoderSet(type: "sdxl", files: 2, needs: "CLIP-L and CLIP-G") { parts in
            parts.clipL == nil || parts.clipG == nil ? nil : try CLIPTextEncoder.make(parts)
        },
        TextEncoderSet(type: "sd3", files: 1, needs: "CLIP-L, CLIP-G or T5-XXL") { try SD3Family.textEncoder($0) },
        TextEncoderSet(type: "sd3", files: 2, needs: "two of CLIP-L, CLIP-G and T5-XXL") {
            try SD3Family.textEncoder($0)
        },
        TextEncoderSet(type: "sd3", files: 3, needs: "CLIP-L, CLIP-G and T5-XXL") { try SD3Family.textEncoder($0) },
        TextEncoderSet(type: "flux", files: 2, needs: "CLIP-L and T5-XXL") { try FluxFamily.textEncoder($0) },
        TextEncoderSet(type: "chroma", files: 1, needs: "T5-XXL") { try ChromaFamily.textEncoder($0) },
    ]

    /// Builds the encoder of a loader node.
    ///
    /// - Throws: ``Checkpoints/CheckpointError`` when the type is not supported or an encoder is missing.
    static func encoder(type: String, files: [String], _ parts: TextEncoderParts) throws -> any TextEncoder {
        // AuraFlow's encoder has no type of its own: it is taken whatever the type.
        if files.count == 1, let encoder = try AuraFlowFamily.textEncoder(parts) { return encoder }
        let known = all.filter { $0.type == type && $0.files == files.count }
        guard let first = known.first else {
            let list = all.map { "\"\($0.type)\" from \($0.files == 1 ? "one file" : "\($0.files) files")" }
            throw CheckpointError(
                .unsupported,
                "text encoders of type \"\(type)\" from \(files.count) files are not supported; supported: "
                    + list.joined(separator: ", "))
        }
        for set in known { if let encoder = try set.make(parts) { return encoder } }
        throw CheckpointError(
            .unknownFamily,
            "the type \"\(type)\" needs \(first.needs); found \(parts.found) in \(files.joined(separator: ", "))")
    }
}
