import CPUBackend
import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing
import Text

@testable import Models

/// The text side of Chroma on the miniature T5 (families-flux.md §12).
@Suite(.enabled(if: Vocabularies.folder != nil, "needs the released T5 vocabulary"))
struct ChromaTextTests {
    private let backend = CPUBackend(precision: .float32, threads: 2)

    private func encoder(_ type: String, _ files: [String]) throws -> any TextEncoder {
        let models = try GoldenModels.folder()
        return try ModelLoader.textEncoder(
            paths: files.map { "\(models)/clip/\($0).safetensors" }, type: type,
            tokenizerFolders: ["\(models)/tokenizers"], embeddings: { _ in nil }, warn: { _ in })
    }

    private func context(_ encoder: any TextEncoder, _ text: String) throws -> Tensor {
        try encoder.encode(PromptText(text), on: backend, warn: { _ in }).context
    }

    @Test func nothingIsPadded() throws {
        let chroma = try encoder("chroma", ["t5xxl-mini"])
        let text = "a paper boat on a flooded street"
        let entry = try chroma.encode(PromptText(text), on: backend, warn: { _ in })
        #expect(entry[PooledOutput.self] == nil)
        #expect(entry.context.shape[1] > 5 && entry.context.shape[1] < 20)
        #expect(try context(chroma, "").shape[1] == 1)
        // FLUX's encoder with the same padding makes the same numbers; with its own it does not.
        let flux = try encoder("flux", ["clip_l-mini", "t5xxl-mini"])
        #expect(try context(flux, text).shape[1] == 256)
        let alike = try #require(flux as? any T5PaddedEncoder).paddingT5(minimumLength: 1, padding: 0)
        #expect(try context(alike, text).floats() == entry.context.floats())
    }

    /// `T5TokenizerOptions`.
    @Test func paddingIsAdded() throws {
        let chroma = try #require(try encoder("chroma", ["t5xxl-mini"]) as? any T5PaddedEncoder)
        let text = "a paper boat"
        let length = try context(chroma, text).shape[1]
        #expect(try context(chroma.paddingT5(minimumLength: 0, padding: 1), text).shape[1] == length + 1)
        #expect(try context(chroma.paddingT5(minimumLength: 20, padding: 1), text).shape[1] == 20)
        #expect(try context(chroma.paddingT5(minimumLength: 3, padding: 100), text).shape[1] == length + 100)
    }

    /// Weights are measured against padding without an end token.
    @Test func weights() throws {
        let chroma = try #require(try encoder("chroma", ["t5xxl-mini"]) as? ChromaTextEncoder)
        let weighted = try context(chroma, "(a paper boat:1.5)")
        let plain = try context(chroma, "a paper boat")
        #expect(weighted.shape == plain.shape)
        var padding = TokenChunk()
        padding.pad(with: 0, to: plain.shape[1])
        let empty = try chroma.t5.model(for: backend)([padding], on: backend).floats()
        let width = plain.shape[2]
        let last = plain.count - width
        let expected = try plain.floats().enumerated().map { index, value in
            // The end token has weight 1.
            index < last ? empty[index] + 1.5 * (value - empty[index]) : value
        }
        let error = try relativeError(weighted, Tensor(expected, shape: plain.shape))
        #expect(error < 1e-5, "\(error)")
    }
}
