public import JSON

/// Manifests of the miniature models of the demo: released key layouts, small widths, random weights. Their pictures
/// are abstract, but everything that runs is what runs a real model.
public enum DemoManifests {
    static let width = 256
    static let contextWidth = 64
    static let pooledWidth = 128

    /// Path below the models folder (without extension) and manifest of every demo model. The names are those of the
    /// released files, so that the demo's workflows run unchanged on real models.
    ///
    /// - Parameters:
    ///   - clipTokens: rows of the CLIP token table; `t5Tokens` likewise.
    public static func all(clipTokens: Int, t5Tokens: Int) -> [(path: String, manifest: JSON)] {
        [
            ("diffusion_models/flux1-dev", transformer()),
            ("text_encoders/clip_l", clip(tokens: clipTokens)),
            ("text_encoders/t5xxl_fp16", t5(tokens: t5Tokens)),
            ("vae/ae", autoencoder()),
            ("loras/FLUX.1-Turbo-Alpha", lora()),
            ("controlnet/FLUX.1-dev-Controlnet-Inpainting-Beta", controlNet()),
        ]
    }

    /// FLUX.1 dev in its native layout: 2 double and 4 single blocks.
    static func transformer() -> JSON {
        var m = ManifestBuilder(seed: 101, dtype: "BF16")
        let d = width
        m.linear("img_in", d, 64)
        m.linear("txt_in", d, contextWidth)
        m.linear("time_in.in_layer", d, 256)
        m.linear("time_in.out_layer", d, d)
        m.linear("guidance_in.in_layer", d, 256)
        m.linear("guidance_in.out_layer", d, d)
        m.linear("vector_in.in_layer", d, pooledWidth)
        m.linear("vector_in.out_layer", d, d)
        for block in 0..<2 {
            for stream in ["img", "txt"] {
                let p = "double_blocks.\(block).\(stream)_"
                m.linear(p + "mod.lin", 6 * d, d, gain: 0.3)
                m.linear(p + "attn.qkv", 3 * d, d)
                m.scale(p + "attn.norm.query_norm.scale", 128)
                m.scale(p + "attn.norm.key_norm.scale", 128)
                m.linear(p + "attn.proj", d, d)
                m.linear(p + "mlp.0", 4 * d, d)
                m.linear(p + "mlp.2", d, 4 * d)
            }
        }
        for block in 0..<4 {
            let p = "single_blocks.\(block)."
            m.linear(p + "modulation.lin", 3 * d, d, gain: 0.3)
            m.linear(p + "linear1", 7 * d, d)
            m.linear(p + "linear2", d, 5 * d)
            m.scale(p + "norm.query_norm.scale", 128)
            m.scale(p + "norm.key_norm.scale", 128)
        }
        m.linear("final_layer.linear", 64, d)
        m.linear("final_layer.adaLN_modulation.1", 2 * d, d, gain: 0.3)
        return m.json
    }

    /// CLIP-L: 2 layers, width of the pooled vector.
    static func clip(tokens: Int) -> JSON {
        var m = ManifestBuilder(seed: 102, dtype: "F16")
        let d = pooledWidth
        m.matrix("text_model.embeddings.token_embedding.weight", [tokens, d], 0.8)
        m.matrix("text_model.embeddings.position_embedding.weight", [77, d], 0.8)
        for layer in 0..<2 {
            let p = "text_model.encoder.layers.\(layer)."
            m.norm(p + "layer_norm1", d)
            for name in ["q_proj", "k_proj", "v_proj", "out_proj"] { m.linear(p + "self_attn." + name, d, d) }
            m.norm(p + "layer_norm2", d)
            m.linear(p + "mlp.fc1", 2 * d, d)
            m.linear(p + "mlp.fc2", d, 2 * d)
        }
        m.norm("text_model.final_layer_norm", d)
        return m.json
    }

    /// T5 v1.1 encoder: 3 layers, 3 heads of 32.
    static func t5(tokens: Int) -> JSON {
        var m = ManifestBuilder(seed: 103, dtype: "F16")
        let (d, inner, hidden) = (contextWidth, 96, 160)
        m.matrix("shared.weight", [tokens, d], 0.8)
        for block in 0..<3 {
            let a = "encoder.block.\(block).layer.0."
            for name in ["q", "k", "v"] { m.linear(a + "SelfAttention." + name, inner, d, gain: 0.7, bias: false) }
            m.linear(a + "SelfAttention.o", d, inner, gain: 0.7, bias: false)
            if block == 0 { m.matrix(a + "SelfAttention.relative_attention_bias.weight", [32, 3], 0.5) }
            m.scale(a + "layer_norm.weight", d)
            let f = "encoder.block.\(block).layer.1."
            m.linear(f + "DenseReluDense.wi_0", hidden, d, gain: 0.7, bias: false)
            m.linear(f + "DenseReluDense.wi_1", hidden, d, gain: 0.7, bias: false)
            m.linear(f + "DenseReluDense.wo", d, hidden, gain: 0.7, bias: false)
            m.scale(f + "layer_norm.weight", d)
        }
        m.scale("encoder.final_layer_norm.weight", d)
        return m.json
    }

    /// The FLUX autoencoder at a base width of 32.
    static func autoencoder() -> JSON {
        var m = ManifestBuilder(seed: 104, dtype: "BF16")
        let widths = [32, 64, 128, 128]
        m.convolution("encoder.conv_in", 32, 3)
        var channels = 32
        for (level, width) in widths.enumerated() {
            for block in 0..<2 {
                m.residual("encoder.down.\(level).block.\(block).", channels, width)
                channels = width
            }
            if level < 3 { m.convolution("encoder.down.\(level).downsample.conv", width, width) }
        }
        m.middle("encoder.mid.", channels)
        m.norm("encoder.norm_out", channels)
        m.convolution("encoder.conv_out", 32, channels)
        m.convolution("decoder.conv_in", channels, 16)
        m.middle("decoder.mid.", channels)
        for (level, width) in widths.enumerated().reversed() {
            for block in 0..<3 {
                m.residual("decoder.up.\(level).block.\(block).", channels, width)
                channels = width
            }
            if level > 0 { m.convolution("decoder.up.\(level).upsample.conv", width, width) }
        }
        m.norm("decoder.norm_out", channels)
        m.convolution("decoder.conv_out", 3, channels)
        return m.json
    }

    /// A Turbo LoRA in diffusers' layout, rank 8, on every attention and feed-forward layer.
    static func lora() -> JSON {
        var m = ManifestBuilder(seed: 105, dtype: "BF16")
        let d = width
        func pair(_ name: String, _ rows: Int, _ columns: Int) {
            m.matrix("transformer.\(name).lora_A.weight", [8, columns], (3 / Double(columns)).squareRoot())
            m.matrix("transformer.\(name).lora_B.weight", [rows, 8], 0.05)
        }
        for block in 0..<2 {
            let p = "transformer_blocks.\(block)."
            for name in ["to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj", "to_out.0", "to_add_out"] {
                pair(p + "attn." + name, d, d)
            }
            for name in ["ff", "ff_context"] {
                pair(p + name + ".net.0.proj", 4 * d, d)
                pair(p + name + ".net.2", d, 4 * d)
            }
        }
        for block in 0..<4 {
            let p = "single_transformer_blocks.\(block)."
            for name in ["attn.to_q", "attn.to_k", "attn.to_v"] { pair(p + name, d, d) }
            pair(p + "proj_mlp", 4 * d, d)
            pair(p + "proj_out", d, 5 * d)
        }
        return m.json
    }

    /// The alimama inpainting ControlNet in diffusers' layout: 2 blocks, 68 hint columns.
    static func controlNet() -> JSON {
        var m = ManifestBuilder(seed: 106, dtype: "BF16")
        let d = width
        for (name, columns) in [("timestep", 256), ("guidance", 256), ("text", pooledWidth)] {
            m.linear("time_text_embed.\(name)_embedder.linear_1", d, columns)
            m.linear("time_text_embed.\(name)_embedder.linear_2", d, d)
        }
        m.linear("context_embedder", d, contextWidth)
        m.linear("x_embedder", d, 64)
        for block in 0..<2 {
            let p = "transformer_blocks.\(block)."
            m.linear(p + "norm1.linear", 6 * d, d, gain: 0.3)
            m.linear(p + "norm1_context.linear", 6 * d, d, gain: 0.3)
            for name in ["to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj", "to_out.0", "to_add_out"] {
                m.linear(p + "attn." + name, d, d)
            }
            for name in ["norm_q", "norm_k", "norm_added_q", "norm_added_k"] { m.scale(p + "attn.\(name).weight", 128) }
            for name in ["ff", "ff_context"] {
                m.linear(p + name + ".net.0.proj", 4 * d, d)
                m.linear(p + name + ".net.2", d, 4 * d)
            }
            m.linear("controlnet_blocks.\(block)", d, d, gain: 0.5)
        }
        m.linear("controlnet_x_embedder", d, 68)
        return m.json
    }
}

/// Collects the tensors of a manifest. Half widths make the variance of a layer's output equal to its input's.
struct ManifestBuilder {
    private let seed: Int64
    private let dtype: String
    private var tensors = JSONObject()

    init(seed: Int64, dtype: String) {
        self.seed = seed
        self.dtype = dtype
    }

    var json: JSON {
        .object(["seed": .int(seed), "dtype": .string(dtype), "tensors": .object(tensors)])
    }

    private mutating func add(_ key: String, _ shape: [Int], centre: Double, half: Double) {
        tensors[key] = .array([.array(shape.map { .int(Int64($0)) }), .double(centre), .double(half)])
    }

    mutating func matrix(_ key: String, _ shape: [Int], _ half: Double) { add(key, shape, centre: 0, half: half) }
    mutating func scale(_ key: String, _ count: Int) { add(key, [count], centre: 1, half: 0.15) }
    mutating func norm(_ name: String, _ count: Int) {
        scale(name + ".weight", count)
        add(name + ".bias", [count], centre: 0, half: 0.08)
    }
    mutating func linear(_ name: String, _ rows: Int, _ columns: Int, gain: Double = 1, bias: Bool = true) {
        add(name + ".weight", [rows, columns], centre: 0, half: gain * (3 / Double(columns)).squareRoot())
        if bias { add(name + ".bias", [rows], centre: 0, half: 0.08 * gain) }
    }
    mutating func convolution(_ name: String, _ rows: Int, _ columns: Int, size: Int = 3) {
        let half = (3 / Double(columns * size * size)).squareRoot()
        add(name + ".weight", [rows, columns, size, size], centre: 0, half: half)
        add(name + ".bias", [rows], centre: 0, half: 0.08)
    }
    mutating func residual(_ prefix: String, _ inputs: Int, _ outputs: Int) {
        norm(prefix + "norm1", inputs)
        convolution(prefix + "conv1", outputs, inputs)
        norm(prefix + "norm2", outputs)
        convolution(prefix + "conv2", outputs, outputs)
        if inputs != outputs { convolution(prefix + "nin_shortcut", outputs, inputs, size: 1) }
    }
    mutating func middle(_ prefix: String, _ channels: Int) {
        residual(prefix + "block_1.", channels, channels)
        norm(prefix + "attn_1.norm", channels)
        for name in ["q", "k", "v", "proj_out"] {
            convolution(prefix + "attn_1." + name, channels, channels, size: 1)
        }
        residual(prefix + "block_2.", channels, channels)
    }
}
