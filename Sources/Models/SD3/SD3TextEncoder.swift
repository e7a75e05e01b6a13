public import Checkpoints
public import Diffusion
public import Tensors
import Text

/// The text side of SD3: any of CLIP-L, CLIP-G and T5-XXL (families-sd3-aura.md §6.3).
///
/// The features of the two CLIP models stand beside each other, are padded with zeros to T5's width and followed by T5's
/// tokens; the pooled vectors stand beside each other. What is missing counts as zeros of the released widths.
public struct SD3TextEncoder: WeightedTextEncoder, T5PaddedEncoder {
    private var clipL: EncoderPart<CLIPTextModel>?
    private var clipG: EncoderPart<CLIPTextModel>?
    private var t5: EncoderPart<T5Encoder>?
    private let embeddings: (any EmbeddingLibrary)?
    /// The layer that `CLIPSetLastLayer` asked for, in all encoders.
    private var lastLayer: Int?

    /// Widths of the released CLIP-L and CLIP-G.
    private static let releasedWidths = (l: 768, g: 1280)

    /// - Throws: ``CheckpointError`` when an encoder's weights are incomplete, and what the tokenizers throw.
    init(_ parts: TextEncoderParts) throws {
        clipL = try parts.clipL.map { try .clipL($0, parts.clipTokenizer()) }
        clipG = try parts.clipG.map { try .clipG($0, parts.clipTokenizer()) }
        t5 = try parts.t5.map { try .t5($0, .t5(parts.t5Tokenizer(), minimumLength: 77)) }
        embeddings = parts.embeddings
    }

    public var family: String {
        [clipL.map { _ in "CLIP-L" }, clipG.map { _ in "CLIP-G" }, t5.map { _ in "T5-XXL" }].compactMap(\.self)
            .joined(separator: " + ")
    }

    public var ownByteCount: Int {
        (clipL?.source.ownByteCount ?? 0) + (clipG?.source.ownByteCount ?? 0) + (t5?.source.ownByteCount ?? 0)
    }

    public func encode(
        _ prompt: PromptText, on b: any Backend, warn: (String) -> Void
    ) throws -> ConditioningEntry {
        var missing: Set<String> = []
        func tokens(_ tokenizer: PromptTokenizer?) throws -> TokenizedPrompt {
            guard let tokenizer else { return TokenizedPrompt() }
            let text = prompt.text(for: tokenizer.layout.encoder)
            if prompt.leavesOutEmpty && text.isEmpty { return TokenizedPrompt() }
            let result = try tokenizer.encode(text, embeddings: embeddings)
            missing.formUnion(result.missingEmbeddings)
            return result
        }
        var l = try tokens(clipL?.tokenizer)
        var g = try tokens(clipG?.tokenizer)
        let t = try tokens(t5?.tokenizer)
        for name in missing.sorted() { warn("embedding \"\(name)\" was not found and is left out of the prompt") }
        if !prompt.perEncoder.isEmpty, let clipL, let clipG {
            // Texts of their own may need different numbers of chunks: the shorter list is filled up.
            let most = max(l.chunks.count, g.chunks.count)
            try Self.fill(&l, to: most, clipL.tokenizer)
            try Self.fill(&g, to: most, clipG.tokenizer)
        }

        let layer = CLIPLayerChoice.penultimate.stopping(at: lastLayer)
        func features(_ part: EncoderPart<CLIPTextModel>?, _ prompt: TokenizedPrompt) throws -> CLIPFeatures? {
            guard let part, !prompt.chunks.isEmpty else { return nil }
            return try part.features(prompt, layer: layer, on: b, warn: warn)
        }
        let (first, second) = (try features(clipL, l), try features(clipG, g))
        let t5Tokens = try t5.map { try Self.features($0, t, lastLayer: lastLayer, on: b) }
        return try joined(first, second, t5Tokens)
    }

    private typealias CLIPFeatures = (tokens: Tensor, pooled: Tensor)

    private static func fill(_ prompt: inout TokenizedPrompt, to count: Int, _ tokenizer: PromptTokenizer) throws {
        let empty = try tokenizer.encode("").chunks
        while prompt.chunks.count < count, !empty.isEmpty { prompt.chunks += empty }
    }

    /// T5's features `[1, tokens, width]`. Its padding takes part in attention. A prompt without chunks is the single end
    /// token.
    private static func features(
        _ part: EncoderPart<T5Encoder>, _ prompt: TokenizedPrompt, lastLayer: Int?, on b: any Backend
    ) throws -> Tensor {
        let model = try part.model(for: b)
        let chunks = prompt.chunks.isEmpty ? [part.tokenizer.emptyChunk(length: 0)] : prompt.chunks
        var rows = chunks
        if prompt.isWeighted { rows.append(part.tokenizer.emptyChunk(length: chunks.map(\.count).max() ?? 0)) }
        var layers: Int?
        if let lastLayer, lastLayer < 0, -lastLayer <= model.layers.count {
            layers = model.layers.count + lastLayer + 1
        }
        let encoded = try b.host(model(rows, layers: layers, on: b))
        if prompt.isWeighted { return try PromptWeights.apply(chunks, to: encoded) }
        return try encoded.reshaped([1, encoded.shape[0] * encoded.shape[1], encoded.shape[2]])
    }

    private func joined(_ l: CLIPFeatures?, _ g: CLIPFeatures?, _ t5: Tensor?) throws -> ConditioningEntry {
        let widthL = clipL?.width ?? Self.releasedWidths.l
        let widthG = clipG?.width ?? Self.releasedWidths.g
        let contextWidth = t5?.shape[2] ?? 2 * (widthL + widthG)
        guard widthL + widthG <= contextWidth else {
            throw TensorError(
                .shapeMismatch,
                "CLIP features \(widthL) + \(widthG) wide do not fit T5's width of \(contextWidth): these encoders do not "
                    + "belong together")
        }
        var sequence: [Tensor] = []
        if l != nil || g != nil {
            let length = min(l?.tokens.shape[1] ?? .max, g?.tokens.shape[1] ?? .max)
            let columns = [
                try l?.tokens.slice(axis: 1, 0..<length) ?? .zeros([1, length, widthL]),
                try g?.tokens.slice(axis: 1, 0..<length) ?? .zeros([1, length, widthG]),
                try .zeros([1, length, contextWidth - widthL - widthG]),
            ]
            sequence.append(try HostMath.concatenate(columns, axis: 2))
        }
        if let t5 { sequence.append(t5) }
        if sequence.isEmpty { sequence = [try .zeros([1, 77, contextWidth])] }
        var entry = ConditioningEntry(context: try HostMath.concatenate(sequence, axis: 1))
        entry[PooledOutput.self] = try HostMath.concatenate(
            [try l?.pooled ?? .zeros([1, widthL]), try g?.pooled ?? .zeros([1, widthG])], axis: 1)
        return entry
    }

    public func adding(
        lora: NamedTensors, strength: Float
    ) throws -> (encoder: any TextEncoder, report: LoRAReport) {
        let file = try LoRAFile(lora)
        var copy = self
        var total = LoRAReport()
        func note(_ report: LoRAReport) {
            total.used.formUnion(report.used)
            total.changedWeights += report.changedWeights
        }
        if let part = clipL {
            let (changed, report) = try part.adding(file, strength: strength)
            copy.clipL = changed
            note(report)
        }
        if let part = clipG {
            let (changed, report) = try part.adding(file, strength: strength)
            copy.clipG = changed
            note(report)
        }
        if let part = t5 {
            let (changed, report) = try part.adding(file, strength: strength)
            copy.t5 = changed
            note(report)
        }
        return (copy, total)
    }

    public var sources: [EncoderSource] {
        [clipL?.encoderSource, clipG?.encoderSource, t5?.encoderSource].compactMap(\.self)
    }

    public func patched(_ patches: (EncoderSource) -> [String: [WeightPatch]]) throws -> SD3TextEncoder {
        var copy = self
        copy.clipL = try clipL.map { try $0.patched(patches($0.encoderSource)) }
        copy.clipG = try clipG.map { try $0.patched(patches($0.encoderSource)) }
        copy.t5 = try t5.map { try $0.patched(patches($0.encoderSource)) }
        return copy
    }

    public func stoppingAt(layer: Int) -> any TextEncoder {
        var copy = self
        copy.lastLayer = layer
        return copy
    }

    public func paddingT5(minimumLength: Int, padding: Int) -> any TextEncoder {
        var copy = self
        copy.t5 = t5?.padded(minimumLength: minimumLength, padding: padding)
        return copy
    }
}

extension EncoderPart where Model == CLIPTextModel {
    /// Width of the token features.
    fileprivate var width: Int? { source.shape("text_model.embeddings.token_embedding.weight")?.last }
}
