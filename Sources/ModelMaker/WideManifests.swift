public import JSON

/// Manifests of models at their real sizes, for measurements: what such a network computes costs what the released one
/// costs, whatever the weights are.
public enum WideManifests {
    /// The UNet of SDXL base in its original layout (Podell et al. 2023): 320, 640 and 1280 channels with 0, 2 and 10
    /// transformer blocks in each stage, 2.57 billion parameters, 5.1 GB.
    public static func sdxlUNet() -> JSON {
        var m = ManifestBuilder(seed: 201, dtype: "F16")
        let (base, time, context) = (320, 1280, 2048)
        m.linear("time_embed.0", time, base)
        m.linear("time_embed.2", time, time)
        m.linear("label_emb.0.0", time, 2816)
        m.linear("label_emb.0.2", time, time)
        m.convolution("input_blocks.0.0", base, 4)
        let levels = [(channels: 320, depth: 0), (channels: 640, depth: 2), (channels: 1280, depth: 10)]
        var (channels, index, skips) = (base, 1, [base])
        for (level, shape) in levels.enumerated() {
            for _ in 0..<2 {
                m.stage("input_blocks.\(index).", channels, shape.channels, shape.depth, time, context)
                channels = shape.channels
                skips.append(channels)
                index += 1
            }
            if level < 2 {
                m.convolution("input_blocks.\(index).0.op", channels, channels)
                skips.append(channels)
                index += 1
            }
        }
        m.stage("middle_block.", channels, channels, 10, time, context)
        m.unetResidual("middle_block.2.", channels, channels, time)
        index = 0
        for (level, shape) in levels.enumerated().reversed() {
            for block in 0..<3 {
                let inputs = channels + skips.removeLast()
                let prefix = "output_blocks.\(index)."
                m.stage(prefix, inputs, shape.channels, shape.depth, time, context)
                channels = shape.channels
                if level > 0, block == 2 {
                    m.convolution(prefix + "\(shape.depth > 0 ? 2 : 1).conv", channels, channels)
                }
                index += 1
            }
        }
        m.norm("out.0", base)
        m.convolution("out.2", 4, base)
        return m.json
    }
}

extension ManifestBuilder {
    /// A residual block "0" and, where there is depth, a transformer "1".
    fileprivate mutating func stage(
        _ prefix: String, _ inputs: Int, _ outputs: Int, _ depth: Int, _ time: Int, _ context: Int
    ) {
        unetResidual(prefix + "0.", inputs, outputs, time)
        guard depth > 0 else { return }
        let t = prefix + "1."
        norm(t + "norm", outputs)
        linear(t + "proj_in", outputs, outputs)
        for block in 0..<depth {
            let b = t + "transformer_blocks.\(block)."
            for (name, columns) in [("attn1", outputs), ("attn2", context)] {
                linear(b + name + ".to_q", outputs, outputs, bias: false)
                linear(b + name + ".to_k", outputs, columns, bias: false)
                linear(b + name + ".to_v", outputs, columns, bias: false)
                linear(b + name + ".to_out.0", outputs, outputs, gain: 0.3)
            }
            linear(b + "ff.net.0.proj", 8 * outputs, outputs)
            linear(b + "ff.net.2", outputs, 4 * outputs, gain: 0.3)
            for name in ["norm1", "norm2", "norm3"] { norm(b + name, outputs) }
        }
        linear(t + "proj_out", outputs, outputs, gain: 0.3)
    }

    fileprivate mutating func unetResidual(_ prefix: String, _ inputs: Int, _ outputs: Int, _ time: Int) {
        norm(prefix + "in_layers.0", inputs)
        convolution(prefix + "in_layers.2", outputs, inputs)
        linear(prefix + "emb_layers.1", outputs, time)
        norm(prefix + "out_layers.0", outputs)
        convolution(prefix + "out_layers.3", outputs, outputs)
        if inputs != outputs { convolution(prefix + "skip_connection", outputs, inputs, size: 1) }
    }
}
