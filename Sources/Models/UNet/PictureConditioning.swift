public import Diffusion
internal import JSON
public import Tensors

/// Pictures that a result should resemble, as an image encoder saw them, for unCLIP models and SDXL ("revision").
public struct SeenPictures: Sendable {
    /// `[pictures, width]`: ``CLIPVisionOutput/imageEmbeds``.
    public var embeds: Tensor
    public var strength: Float
    /// How much of a picture is replaced by noise, 0…1.
    public var noiseAugmentation: Double

    public init(embeds: Tensor, strength: Float, noiseAugmentation: Double) {
        self.embeds = embeds
        self.strength = strength
        self.noiseAugmentation = noiseAugmentation
    }
}

/// The pictures of `unCLIPConditioning` nodes, in the order of the nodes.
public enum UnclipPictures: ConditioningKey {
    public static let name = "unclip_conditioning"

    public static func stored(_ value: [SeenPictures]) -> StoredContent? {
        StoredContent(
            .array(value.map { .array([.exactly(Double($0.strength)), .exactly($0.noiseAugmentation)]) }),
            tensors: value.map(\.embeds))
    }

    public static func restored(_ content: StoredContent) -> [SeenPictures]? {
        guard let list = content.json.arrayValue, list.count == content.tensors.count else { return nil }
        var pictures: [SeenPictures] = []
        for (json, embeds) in zip(list, content.tensors) {
            guard let strength = json[0]?.exactNumber, let noise = json[1]?.exactNumber else { return nil }
            pictures.append(
                SeenPictures(embeds: embeds, strength: Float(strength), noiseAugmentation: noise))
        }
        return pictures
    }
}
