import Checkpoints
import Diffusion
import Tensors

/// What a model file holds, for people (`graphrun inspect`).
public struct ModelInspection: Sendable {
    public struct Part: Sendable {
        /// "network", "text encoder", "image encoder", "VAE", "ControlNet", "LoRA", "upscale model".
        public var kind: String
        /// "FLUX.1 dev, 19 + 38 blocks, width 3072".
        public var description: String
        public var parameters: Int
    }
    public var path: String
    public var parts: [Part]
    /// Number of elements by type name, largest first.
    public var types: [(type: String, elements: Int)]
    public var tensors: Int
    public var metadata: [String: String]

    public var parameters: Int { types.reduce(0) { $0 + $1.elements } }

    /// Reads a file's header; no weights are touched.
    ///
    /// - Throws: ``Checkpoints/CheckpointError`` for files that are damaged. An unknown family is no error.
    public init(path: String) throws {
        let file = try CheckpointFile(path: path)
        self.path = path
        tensors = file.keys.count
        metadata = file.metadata
        var counts: [String: Int] = [:]
        for key in file.keys {
            if let stored = file.stored(key) { counts[stored.type, default: 0] += stored.elementCount }
        }
        types = counts.map { ($0.key, $0.value) }.sorted { ($1.elements, $0.type) < ($0.elements, $1.type) }

        var parts: [Part] = []
        let prefixes =
            ["", "model.diffusion_model.", "model.", "vae.", "first_stage_model."] + TextEncoderParts.checkpointPrefixes
        for prefix in prefixes where file.keys.contains(where: { $0.hasPrefix(prefix) }) {
            let source = try WeightSource(file, prefix: prefix)
            guard let (kind, description) = Self.describe(source) else { continue }
            let parameters = source.pieces.values.reduce(0) { $0 + $1.reduce(0) { $0 + $1.tensor.count } }
            parts.append(Part(kind: kind, description: description, parameters: parameters))
        }
        if parts.isEmpty, let model = try? UpscaleModel(file) {
            let parameters = counts.values.reduce(0, +)
            parts = [Part(kind: "upscale model", description: model.description, parameters: parameters)]
        }
        if parts.isEmpty {
            let source = try WeightSource(file)
            parts = [Part(kind: "unknown", description: KnownLayouts.describe(source), parameters: 0)]
            parts[0].parameters = counts.values.reduce(0, +)
        }
        self.parts = parts
    }

    private static func describe(_ source: WeightSource) -> (kind: String, description: String)? {
        if let name = UnsupportedFamilies.name(of: source) { return ("network", "\(name), which is not supported") }
        for family in ControlFamilies.all where family.recognises(source) {
            let network = try? family.network(source)
            return ("ControlNet", network?.family ?? "\(family.name), damaged or of a variant that is not supported")
        }
        for family in ModelFamilies.all {
            guard let native = try? family.native(source) else { continue }
            do {
                return ("network", try family.network(native).family)
            } catch {
                return ("network", "\(family.name), which cannot be run: \(error)")
            }
        }
        if T5Encoder.recognises(source) {
            return (
                "text encoder",
                "T5, \(source.count("encoder.block.")) layers, width \(source.shape("shared.weight")?.last ?? 0)"
            )
        }
        if let source = try? CLIPKeys.native(source) {
            let layers = source.count("text_model.encoder.layers.")
            let width = source.shape("text_model.embeddings.token_embedding.weight")?.last ?? 0
            return ("text encoder", "CLIP, \(layers) layers, width \(width)")
        }
        if (try? CLIPVisionKeys.native(source)) != nil {
            return ("image encoder", (try? CLIPVisionModel(source).family) ?? "CLIP vision, damaged or not supported")
        }
        if AutoencoderKeys.recognises(source) {
            return ("VAE", "KL autoencoder, \(source.shape("decoder.conv_in.weight")?[1] ?? 0) latent channels")
        }
        let pairs = source.keys.count { $0.hasSuffix(".lora_down.weight") || $0.hasSuffix(".lora_A.weight") }
        return pairs > 0 ? ("LoRA", "\(pairs) pairs of factors") : nil
    }
}
