import Diffusion
import Models
import NodeKit

/// A text encoder from one file.
struct CLIPLoader: ValidatingNode {
    static let info = NodeInfo("CLIPLoader", displayName: "Load CLIP", category: "advanced/loaders", work: .loading)

    @Input(.files("text_encoders")) var clipName: String
    @Input(
        .choices([
            "stable_diffusion", "stable_cascade", "sd3", "stable_audio", "mochi", "ltxv", "pixart", "cosmos", "lumina2",
            "wan", "hidream", "chroma", "ace", "omnigen2", "qwen_image", "hunyuan_image",
        ]))
    var type: String
    @Input(.choices(["default", "cpu"]), .advanced) var device: String?
    @Output var clip: TextEncoderValue

    func run(_ context: NodeContext) async throws {
        clip = try context.textEncoder(files: [clipName], type: type)
    }

    static let checks = NodeChecks(ports: ["type"])

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        $type.isGiven ? reasonAgainst { try EncoderSet.require(type, files: 1) } : nil
    }
}

/// Two text encoders that work together.
struct DualCLIPLoader: ValidatingNode {
    static let info = NodeInfo("DualCLIPLoader", category: "advanced/loaders", work: .loading)

    @Input(.files("text_encoders")) var clipName1: String
    @Input(.files("text_encoders")) var clipName2: String
    @Input(.choices(["sdxl", "sd3", "flux", "hunyuan_video", "hidream", "hunyuan_image"])) var type: String
    @Input(.choices(["default", "cpu"]), .advanced) var device: String?
    @Output var clip: TextEncoderValue

    func run(_ context: NodeContext) async throws {
        clip = try context.textEncoder(files: [clipName1, clipName2], type: type)
    }

    static let checks = NodeChecks(ports: ["type"])

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        $type.isGiven ? reasonAgainst { try EncoderSet.require(type, files: 2) } : nil
    }
}

/// SD3's three text encoders, in any order.
struct TripleCLIPLoader: Node {
    static let info = NodeInfo(
        "TripleCLIPLoader", category: "advanced/loaders",
        description: "Loads the three text encoders of SD3: CLIP-L, CLIP-G and T5-XXL, in any order.", style: .v3)

    @Input(.files("text_encoders")) var clipName1: String
    @Input(.files("text_encoders")) var clipName2: String
    @Input(.files("text_encoders")) var clipName3: String
    @Output var clip: TextEncoderValue

    func run(_ context: NodeContext) async throws {
        clip = try context.textEncoder(files: [clipName1, clipName2, clipName3], type: "sd3")
    }
}

/// Which combinations of text encoders can be built; asked before anything is loaded.
private enum EncoderSet {
    /// - Throws: ``NodeError`` listing what is supported when `type` is another.
    static func require(_ type: String, files count: Int) throws {
        let supported = TextEncoderSets.all
        if supported.contains(where: { $0.type == type && $0.files == count }) { return }
        let list = supported.map { set in
            let loader =
                [1: "CLIPLoader", 2: "DualCLIPLoader", 3: "TripleCLIPLoader"][set.files] ?? "\(set.files) files"
            return "\"\(set.type)\" with \(loader)"
        }.joined(separator: ", ")
        throw NodeError(
            "text encoders of type \"\(type)\" from \(count == 1 ? "one file" : "\(count) files") are not supported "
                + "yet; supported: \(list)")
    }
}

extension NodeContext {
    /// Builds the text encoder of a loader node.
    fileprivate func textEncoder(files names: [String], type: String) throws -> TextEncoderValue {
        try EncoderSet.require(type, files: names.count)
        let files = files
        return TextEncoderValue(
            try ModelLoader.textEncoder(
                paths: try names.map { try files.model("text_encoders", $0) }, type: type,
                tokenizerFolders: files.modelFolders("tokenizers"), embeddings: { files.embedding(named: $0) },
                warn: warn))
    }
}
