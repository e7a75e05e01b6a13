import Foundation
import Testing

@testable import Text

final class TokenizerLocatorTests {
    let root = NSTemporaryDirectory() + "/graphrun-locator-\(UUID().uuidString)"
    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func put(_ path: String, _ bytes: [UInt8]) throws {
        let url = URL(fileURLWithPath: root + "/" + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }
    private func putCLIP(_ folder: String) throws {
        try put(folder + "/vocab.json", TinyCLIP.vocabulary())
        try put(folder + "/merges.txt", TinyCLIP.mergeLines())
    }
    private var locator: TokenizerLocator { TokenizerLocator(modelFolders: [root + "/models"]) }

    private func first(_ kind: TokenizerLocator.Kind, _ checkpoint: String? = nil) -> String? {
        let found = locator.candidates(kind, checkpoint: checkpoint.map { root + "/" + $0 })
        return found.first?.first.map { String($0.dropFirst(root.count + 1)) }
    }

    @Test func order() throws {
        let checkpoint = "repo/text_encoder/model.safetensors"
        #expect(first(.clip, checkpoint) == nil)
        try putCLIP("models/diffusers/some/tokenizer")
        #expect(first(.clip, checkpoint) == "models/diffusers/some/tokenizer/vocab.json")
        try putCLIP("repo/tokenizer")
        #expect(first(.clip, checkpoint) == "repo/tokenizer/vocab.json")
        try putCLIP("models/tokenizers/clip")
        #expect(first(.clip, checkpoint) == "models/tokenizers/clip/vocab.json")
        try putCLIP("repo/text_encoder/tokenizer")
        #expect(first(.clip, checkpoint) == "repo/text_encoder/tokenizer/vocab.json")
        try putCLIP("repo/text_encoder/clip")
        #expect(first(.clip, checkpoint) == "repo/text_encoder/clip/vocab.json")
        try putCLIP("repo/text_encoder")
        #expect(first(.clip, checkpoint) == "repo/text_encoder/vocab.json")
        #expect(first(.clip) == "models/tokenizers/clip/vocab.json")
        #expect(try locator.clip(checkpoint: nil).endToken == 520)
    }

    @Test func bothFilesAreNeeded() throws {
        try put("models/tokenizers/clip/vocab.json", TinyCLIP.vocabulary())
        #expect(first(.clip) == nil)
    }

    /// A diffusers folder has one `tokenizer.json` per encoder: the wrong ones are passed over.
    @Test func otherKindsArePassedOver() throws {
        let merges = TinyCLIP.merges.map { "\"\($0)\"" }.joined(separator: ",")
        let vocabulary = String(decoding: TinyCLIP.vocabulary(), as: UTF8.self)
        let clip = """
            {"model": {"type": "BPE", "vocab": \(vocabulary), "merges": [\(merges)], "end_of_word_suffix": "</w>"}}
            """
        let t5 = UnigramTokenizerTests.json.text
        try put("repo/tokenizer/tokenizer.json", Array(clip.utf8))
        try put("repo/tokenizer_2/tokenizer.json", Array(t5.utf8))
        let checkpoint = root + "/repo/text_encoder_2/model.safetensors"
        #expect(try locator.t5(checkpoint: checkpoint).encode("ab") == [10])
        #expect(try locator.clip(checkpoint: checkpoint).startToken == 519)
    }

    @Test func aDamagedFileIsReported() throws {
        try put("models/tokenizers/t5/tokenizer.json", Array("{".utf8))
        #expect { try self.locator.t5(checkpoint: nil) } throws: { error in
            guard let error = error as? TokenizerError else { return false }
            return error.code == .malformed && error.file.hasSuffix("models/tokenizers/t5/tokenizer.json")
        }
    }

    @Test(arguments: [
        (TokenizerLocator.Kind.clip, "vocab.json and merges.txt", "/models/tokenizers/clip"),
        (.t5, "tokenizer.json", "/models/tokenizers/t5"), (.pileT5, "tokenizer.model", "/models/tokenizers/pile-t5"),
    ])
    func theErrorSaysWhatToPutWhere(kind: TokenizerLocator.Kind, files: String, place: String) {
        #expect {
            switch kind {
            case .clip: _ = try self.locator.clip(checkpoint: nil)
            case .t5: _ = try self.locator.t5(checkpoint: nil)
            case .pileT5: _ = try self.locator.pileT5(checkpoint: nil)
            }
        } throws: { error in
            guard let error = error as? TokenizerError else { return false }
            return error.code == .notFound && error.message.contains(files) && error.message.contains(self.root + place)
        }
    }
}
