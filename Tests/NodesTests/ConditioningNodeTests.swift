import Diffusion
import JSON
import NodeKit
import Tensors
import Testing

struct ConditioningNodeTests {
    private let context: NodeContext
    private let installation: TestInstallation
    init() throws {
        installation = try TestInstallation()
        context = installation.context()
    }

    private let clip = TextEncoderValue(StubEncoder())
    private func encoded() async throws -> ConditioningValue {
        try await call("CLIPTextEncode", ["text": "abc", "clip": clip], context)
    }

    @Test func clipTextEncode() async throws {
        let result = try await encoded()
        #expect(result.entries.count == 1)
        #expect(try result.entries[0].context.floats() == [3, 3])
        _ = try await call("CLIPTextEncode", ["text": "embedding:x", "clip": clip], context)
        #expect(installation.warnings == ["no embedding"])
    }

    @Test func clipTextEncodeFlux() async throws {
        let result: ConditioningValue = try await call(
            "CLIPTextEncodeFlux", ["clip": clip, "clip_l": "ab", "t5xxl": "abcd", "guidance": 2.5], context)
        #expect(try result.entries[0].context.floats() == [2, 4])
        #expect(result.entries[0][Guidance.self] == .some(2.5))
    }

    @Test func guidanceAndZeroOut() async throws {
        let guided: ConditioningValue = try await call(
            "FluxGuidance", ["conditioning": try await encoded(), "guidance": 4.0], context)
        #expect(guided.entries[0][Guidance.self] == .some(4))
        let zeros: ConditioningValue = try await call("ConditioningZeroOut", ["conditioning": guided], context)
        #expect(try zeros.entries[0].context.floats() == [0, 0])
        #expect(try zeros.entries[0][PooledOutput.self]?.floats() == [0, 0])
        #expect(zeros.entries[0][Guidance.self] == .some(4))
    }

    private func apply(
        _ network: StubControlNetwork, strength: Double = 0.75, vae: Bool = false
    ) async throws -> [ConditioningEntry] {
        var inputs: [String: any NodeValue] = [
            "positive": try await encoded(), "negative": try await encoded(),
            "control_net": ControlNet(network: network), "image": Image(try Tensor.full([1, 8, 8, 3], 0.5)),
            "strength": strength, "start_percent": 0.25, "end_percent": 0.5,
        ]
        if vae { inputs["vae"] = AutoencoderValue(StubAutoencoder()) }
        let results = try await call("ControlNetApplyAdvanced", inputs, context)
        return try results.map { try #require(($0[0] as? ConditioningValue)?.entries.first) }
    }

    @Test func controlNetApplySharesOneAttachment() async throws {
        let entries = try await apply(StubControlNetwork())
        let attachments = try entries.map { try #require($0[Control.self]?.first) }
        #expect(attachments[0] === attachments[1])
        #expect(attachments[0].strength == 0.75)
        #expect(attachments[0].range == PercentRange(start: 0.25, end: 0.5))
        #expect(attachments[0].mask == nil && attachments[0].autoencoder == nil)
        #expect(entries.allSatisfy { $0[ControlForNegative.self] == false })
        // Saved outputs show the flag, as the reference's do.
        #expect(entries[0].exportedProperties.map(\.name) == ["control_apply_to_uncond", "pooled_output"])
    }

    @Test func controlNetOfStrengthZeroChangesNothing() async throws {
        let entries = try await apply(StubControlNetwork(needsAutoencoder: true), strength: 0)
        #expect(entries.allSatisfy { $0[Control.self] == nil && $0[ControlForNegative.self] == nil })
    }

    @Test func controlNetAsksForItsAutoencoder() async throws {
        let network = StubControlNetwork(needsAutoencoder: true)
        #expect(await failure { _ = try await apply(network) }.contains("\"vae\""))
        #expect(try await apply(network, vae: true)[0][Control.self]?.first?.autoencoder != nil)
    }

    @Test func controlNetsAreChainedInOrder() async throws {
        let first = try await apply(StubControlNetwork())
        let inputs: [String: any NodeValue] = [
            "positive": ConditioningValue([first[0]]), "negative": ConditioningValue([first[1]]),
            "control_net": ControlNet(network: StubControlNetwork(), unionType: 3),
            "image": Image(try Tensor.zeros([1, 8, 8, 3])), "strength": 1.0, "start_percent": 0.0, "end_percent": 1.0,
        ]
        let result: ConditioningValue = try await call("ControlNetApplyAdvanced", inputs, context)
        #expect(result.entries[0][Control.self]?.map(\.control.unionType) == [nil, 3])
    }

    @Test func unionTypes() async throws {
        let network = ControlNet(network: StubControlNetwork(), unionType: 1)
        for (name, number) in [
            ("auto", nil), ("openpose", 0), ("canny/lineart/anime_lineart/mlsd", 3), ("repaint", 7),
        ] as [(String, Int?)] {
            let result: ControlNet = try await call(
                "SetUnionControlNetType", ["control_net": network, "type": name], context)
            #expect(result.unionType == number)
        }
    }

    private func inpaint(
        extraChannels: Int, image: Tensor, mask: Tensor, strength: Double = 1
    ) async throws -> ControlAttachment? {
        let result: ConditioningValue = try await call(
            "ControlNetInpaintingAliMamaApply",
            [
                "positive": try await encoded(), "negative": try await encoded(),
                "control_net": ControlNet(network: StubControlNetwork(extraHintChannels: extraChannels)),
                "vae": AutoencoderValue(StubAutoencoder()), "image": Image(image), "mask": Mask(mask),
                "strength": strength, "start_percent": 0.0, "end_percent": 1.0,
            ], context, output: 1)
        return result.entries[0][Control.self]?.first
    }

    /// The picture is cut with the rounded mask, the channel is the unrounded one; 1 = keep (families-flux.md §7.2).
    @Test func inpaintingApply() async throws {
        let image = try Tensor.full([1, 2, 2, 3], 0.5)
        let mask = try Tensor([0, 0.25, 0.75, 1], shape: [1, 2, 2])
        let attachment = try #require(try await inpaint(extraChannels: 1, image: image, mask: mask))
        #expect(try attachment.image.floats() == [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0, 0, 0])
        #expect(try attachment.mask?.floats() == [1, 0.75, 0.25, 0])
        #expect(attachment.autoencoder != nil)

        let plain = try #require(try await inpaint(extraChannels: 0, image: image, mask: mask))
        #expect(try plain.image.floats().allSatisfy { $0 == 0.5 })
        #expect(plain.mask == nil)
        #expect(try await inpaint(extraChannels: 1, image: image, mask: mask, strength: 0) == nil)
    }

    @Test func inpaintingApplyMatchesBatches() async throws {
        let image = try Tensor.full([1, 2, 2, 3], 0.5)
        let masks = try Tensor([0, 0, 0, 0, 1, 1, 1, 1], shape: [2, 2, 2])
        let attachment = try #require(try await inpaint(extraChannels: 1, image: image, mask: masks))
        #expect(attachment.image.shape == [2, 2, 2, 3])
        let three = try Tensor.full([3, 2, 2, 3], 0.5)
        #expect(
            await failure { _ = try await inpaint(extraChannels: 1, image: three, mask: masks) }.contains("2 masks"))
    }
}
