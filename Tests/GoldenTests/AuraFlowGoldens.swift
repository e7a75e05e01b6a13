import TestSupport
import Testing

/// AuraFlow workflows against what the reference computed in fp32 (goldens "auraflow").
@Suite(
    .enabled(
        if: Vocabularies.contains("pile-t5/tokenizer.model"),
        "needs the released Pile-T5 vocabulary: set GRAPHRUN_TOKENIZERS to a folder with pile-t5/"))
struct AuraFlowGoldens {
    static let cases = [
        "t2i", "t2i-unipc-batch", "t2i-long-prompt", "t2i-beyond-grid", "t2i-odd-size-default-shift", "t2i-lora-peft",
        "t2i-split-files-diffusers-keys",
    ]

    /// The issue asks for 1e-3. The reference itself moves by up to 7e-6 with the order of sums (UniPC by 5e-5 in a
    /// second implementation), so anything above 1e-4 is a mistake.
    @Test(arguments: cases) func equalsTheReference(_ name: String) async throws {
        let run = try await GoldenRun.run("auraflow", name, precision: .float32)
        try GoldenComparison.expect(run, equals: "auraflow", name, within: 1e-4)
    }

    @Test(arguments: ["t2i", "t2i-beyond-grid", "t2i-lora-peft"]) func bfloat16Pictures(_ name: String) async throws {
        let exact = try await GoldenRun.run("auraflow", name, precision: .float32)
        let fast = try await GoldenRun.run("auraflow", name, precision: .bfloat16)
        try GoldenComparison.expectPictures(fast, near: exact, decibels: 35, name)
    }
}
