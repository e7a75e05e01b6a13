import Images
import JSON
import NodeKit
import Tensors

/// Writes a batch of pictures as an animated WebP file, with the workflow in it.
struct SaveAnimatedWEBP: Node {
    static let info = NodeInfo(
        "SaveAnimatedWEBP", category: "image/animation", isOutput: true, hidden: [.prompt, .extraPNGInfo])

    @Input var images: Image
    @Input var filenamePrefix = "ComfyUI"
    @Input(.range(0.01...1000.0), .step(0.01)) var fps = 6.0
    @Input var lossless = true
    @Input(.range(0...100)) var quality = 80
    @Input(.choices(["default", "fastest", "slowest"])) var method: String

    func run(_ context: NodeContext) async throws {
        guard let effort = ["default": 4, "fastest": 0, "slowest": 6][method] else {
            throw NodeError("input \"method\": \"\(method)\" is unknown; use default, fastest or slowest")
        }
        let options = WebPWriter.Options(isLossless: lossless, quality: quality, method: effort)
        try context.saveAnimation(images, prefix: filenamePrefix, suffix: "webp") { pictures, texts in
            try WebPWriter.encode(
                pictures, milliseconds: duration(fps: fps), options: options, texts: texts)
        }
    }
}

/// Writes a batch of pictures as an animated PNG file, with the workflow in it.
struct SaveAnimatedPNG: Node {
    static let info = NodeInfo(
        "SaveAnimatedPNG", category: "image/animation", isOutput: true, hidden: [.prompt, .extraPNGInfo])

    @Input var images: Image
    @Input var filenamePrefix = "ComfyUI"
    @Input(.range(0.01...1000.0), .step(0.01)) var fps = 6.0
    @Input(.range(0...9)) var compressLevel = 4

    func run(_ context: NodeContext) async throws {
        try context.saveAnimation(images, prefix: filenamePrefix, suffix: "png") { pictures, texts in
            try PNGAnimationWriter.encode(
                pictures, milliseconds: duration(fps: fps), texts: texts, compressionLevel: compressLevel)
        }
    }
}

/// Milliseconds of one picture.
///
/// - Throws: ``NodeError`` for a rate that is not above 0.
private func duration(fps: Double) throws -> Int {
    guard fps > 0, fps.isFinite else { throw NodeError("input \"fps\": \(fps) is not above 0") }
    return Int(min(1000 / fps, 1e7))
}

extension NodeContext {
    /// Writes one file for a whole batch.
    fileprivate func saveAnimation(
        _ images: Image, prefix: String, suffix: String, _ encode: (Tensor, [ImageText]) throws -> [UInt8]
    ) throws {
        let bytes = try encode(images.tensor, workflowTexts.map { ImageText($0.key, $0.text) })
        var name = try OutputName(
            prefix: prefix, outputFolder: files.outputFolder, width: images.width, height: images.height)
        let file = name.fileName(suffix: suffix)
        try OutputFile.write(bytes, to: name.path(of: file))
        show([
            "images": .array([
                .object(["filename": .string(file), "subfolder": .string(name.subfolder), "type": .string("output")])
            ]), "animated": .array([.bool(images.batch != 1)]),
        ])
    }
}
