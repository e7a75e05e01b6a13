import TestSupport
import Testing

/// FLUX workflows against what the reference computed in fp32 (goldens "flux").
@Suite(
    .enabled(
        if: Vocabularies.folder != nil,
        "needs the released CLIP and T5 vocabularies: set GRAPHRUN_TOKENIZERS to a folder with clip/ and t5/"))
struct FluxGoldens {
    static let cases = [
        "t2i-turbo", "t2i-turbo-fp8", "t2i-truecfg", "t2i-custom-advanced", "i2i-noise-mask", "inpaint-alimama-turbo",
        "inpaint-alimama-truecfg", "t2i-checkpoint", "t2i-schnell", "t2i-lora-kohya-clip", "t2i-two-loras",
        "cnet-union", "cnet-chained", "t2i-odd-size", "t2i-diffusers-keys-shift-heun", "inpaint-fill",
        "kontext-two-references", "cnet-xlabs", "control-lora",
    ]

    /// The issue asks for 1e-3 (1e-4 for conditioning). What is computed here is nearer by an order of magnitude, and
    /// the smallest effect a case shows (the Union mode token) is 1.6e-3, so the limit is 1e-4 for all.
    static let tolerance = 1e-4

    @Test(arguments: cases) func equalsTheReference(_ name: String) async throws {
        let run = try await GoldenRun.run("flux", name, precision: .float32)
        try GoldenComparison.expect(run, equals: "flux", name, within: Self.tolerance)
    }

    /// bf16 products against fp32 ones: at least 35 dB on every picture.
    @Test(arguments: [
        "t2i-turbo", "inpaint-alimama-turbo", "t2i-truecfg", "t2i-schnell", "cnet-union", "inpaint-fill",
        "kontext-two-references", "cnet-xlabs", "control-lora",
    ])
    func bfloat16Pictures(_ name: String) async throws {
        let exact = try await GoldenRun.run("flux", name, precision: .float32)
        let fast = try await GoldenRun.run("flux", name, precision: .bfloat16)
        try GoldenComparison.expectPictures(fast, near: exact, decibels: 35, name)
    }
}
