import TestSupport
import Testing

/// SD3 and SD3.5 workflows against what the reference computed in fp32 (goldens "sd3").
@Suite(
    .enabled(
        if: Vocabularies.folder != nil,
        "needs the released CLIP and T5 vocabularies: set GRAPHRUN_TOKENIZERS to a folder with clip/ and t5/"))
struct SD3Goldens {
    static let cases = [
        "t2i-triple-clip", "t2i-dual-clip-long-prompt", "t2i-checkpoint-clips", "t2i-encode-sd3",
        "t2i-official-negative", "t2i-35-large-slg", "t2i-35-medium-odd-size", "inpaint-alimama", "cnet-instantx",
        "cnet-35-depth", "t2i-lora-peft", "t2i-lora-kohya-clip", "t2i-unet-fp8", "t2i-unet-fp8-lora", "i2i-denoise",
    ]

    /// The issue asks for 1e-3. The reference itself moves by 1e-6 with the order of sums, so anything above 1e-4 is a
    /// mistake.
    @Test(arguments: cases) func equalsTheReference(_ name: String) async throws {
        let run = try await GoldenRun.run("sd3", name, precision: .float32)
        try GoldenComparison.expect(run, equals: "sd3", name, within: 1e-4)
    }

    @Test(arguments: ["t2i-triple-clip", "t2i-35-large-slg", "t2i-35-medium-odd-size", "inpaint-alimama"])
    func bfloat16Pictures(_ name: String) async throws {
        let exact = try await GoldenRun.run("sd3", name, precision: .float32)
        let fast = try await GoldenRun.run("sd3", name, precision: .bfloat16)
        try GoldenComparison.expectPictures(fast, near: exact, decibels: 35, name)
    }
}
