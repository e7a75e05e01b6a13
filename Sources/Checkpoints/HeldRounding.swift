import Sampling
import Tensors

/// Rounding of patched weights to the type the reference keeps them in (families-sd3-aura.md §15).
enum HeldRounding {
    /// Nearest even, except that fp8 is rounded at random by a generator that the weight's name seeds.
    ///
    /// - Parameter name: the full parameter name ("diffusion_model.img_in.weight").
    static func round(_ values: [Float], shape: Shape, to type: DType, name: String) throws -> Tensor {
        let tensor = try Tensor(values, shape: shape)
        guard type == .float8e4m3 || type == .float8e5m2 else { return try tensor.converted(to: type) }
        var generator = TorchGenerator(seed: UInt64(crc32(name)))
        let uniforms = try Tensor.build(shape, of: Float.self) { generator.fillUniformHalf(&$0) }
        return try tensor.roundedStochastically(to: type, uniforms: uniforms)
    }

    /// CRC-32 (IEEE 802.3) of a text's UTF-8 bytes.
    static func crc32(_ text: String) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        for byte in text.utf8 {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
