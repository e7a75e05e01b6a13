import JSON
import Tensors
import Testing

@testable import Images

/// The reference's nodes: whole workflows of image and mask nodes, each node's inputs taken from our own results.
@Suite struct NodeGoldenTests {
    let expected: Safetensors
    let graph: JSONObject

    /// Our results, by "node.output".
    final class Results {
        var tensors: [String: Tensor] = [:]
    }
    let results = Results()

    init() throws {
        expected = try Safetensors("sd15/image-mask.expected.safetensors")
        graph = try #require(JSON(parsing: Array(fixtureData("sd15/image-mask.json"))).objectValue)
    }

    func run(_ id: String, _ node: JSON) throws -> [Tensor]? {
        let inputs = try #require(node["inputs"])
        func tensor(_ name: String) throws -> Tensor {
            let link = try #require(inputs[name]?.arrayValue)
            let key = "\(try #require(link[0].stringValue)).\(try #require(link[1].intValue))"
            return try #require(results.tensors[key], "\(key)")
        }
        func int(_ name: String) throws -> Int { try #require(inputs[name]?.intValue) }
        func double(_ name: String) throws -> Double { try #require(inputs[name]?.doubleValue) }
        func text(_ name: String) throws -> String { try #require(inputs[name]?.stringValue) }
        func bool(_ name: String) throws -> Bool { try #require(inputs[name]).boolValue ?? false }
        func optional(_ name: String) throws -> Tensor? { inputs[name] == nil ? nil : try tensor(name) }
        func file() throws -> ImageFile { try ImageFile(path: fixturePath("sd15/\(text("image"))")) }
        func channel() throws -> ImageFile.Channel { try #require(ImageFile.Channel(rawValue: text("channel"))) }

        switch try #require(node["class_type"]?.stringValue) {
        case "LoadImage":
            let picture = try file().picture()
            return [picture.image, picture.mask]
        case "LoadImageMask": return [try file().mask(channel())]
        case "ImageInvert": return [try invertImage(tensor("image"))]
        case "ImagePadForOutpaint":
            let padded = try padForOutpaint(
                tensor("image"), left: int("left"), top: int("top"), right: int("right"), bottom: int("bottom"),
                feathering: int("feathering"))
            return [padded.image, padded.mask]
        case "SolidMask": return [try solidMask(Float(double("value")), width: int("width"), height: int("height"))]
        case "MaskComposite":
            let operation = try #require(MaskOperation(rawValue: text("operation")))
            return [try compositeMasks(tensor("destination"), tensor("source"), x: int("x"), y: int("y"), operation)]
        case "GrowMask":
            return [
                try growMask(
                    tensor("mask"), by: int("expand"), tapered: bool("tapered_corners"))
            ]
        case "FeatherMask":
            return [
                try featherMask(
                    tensor("mask"), left: int("left"), top: int("top"), right: int("right"), bottom: int("bottom"))
            ]
        case "InvertMask": return [try invertMask(tensor("mask"))]
        case "CropMask":
            return [
                try cropMask(
                    tensor("mask"), left: int("x"), top: int("y"), width: int("width"), height: int("height"))
            ]
        case "ThresholdMask": return [try thresholdMask(tensor("mask"), above: Float(double("value")))]
        case "ImageToMask": return [try imageToMask(tensor("image"), channel())]
        case "MaskToImage": return [try maskToImage(tensor("mask"))]
        case "ImageCompositeMasked":
            return [
                try compositeImages(
                    tensor("destination"), tensor("source"), x: int("x"), y: int("y"), mask: optional("mask"),
                    resizeSource: bool("resize_source"))
            ]
        case "ImageBlur": return [try blurImage(tensor("image"), radius: int("blur_radius"), sigma: double("sigma"))]
        case "ImageSharpen":
            return [
                try sharpenImage(
                    tensor("image"), radius: int("sharpen_radius"), sigma: double("sigma"), alpha: double("alpha"))
            ]
        case "ImageBlend":
            let mode = try #require(BlendMode(rawValue: text("blend_mode")))
            return [try blendImages(tensor("image1"), tensor("image2"), factor: double("blend_factor"), mode)]
        case "EmptyImage":
            return [
                try emptyImage(
                    width: int("width"), height: int("height"), count: int("batch_size"), colour: int("color"))
            ]
        case "ImageColorToMask": return [try colourToMask(tensor("image"), colour: int("color"))]
        case "ImageCrop":
            return [
                try cropImage(
                    tensor("image"), left: int("x"), top: int("y"), width: int("width"), height: int("height"))
            ]
        case "RepeatImageBatch":
            return [try HostMath.cycleBatch(tensor("image"), to: int("amount") * tensor("image").shape[0])]
        case "ImageBatch": return [try joinImageBatches(tensor("image1"), tensor("image2"))]
        default: return nil
        }
    }

    @Test("every image and mask node of the case image-mask")
    func imageMask() throws {
        var compared = 0
        for (id, node) in graph {
            guard let outputs = try run(id, node) else { continue }
            for (index, output) in outputs.enumerated() {
                let key = "\(id).\(index)"
                results.tensors[key] = output
                guard let golden = expected[key] else { continue }
                compared += 1
                let difference = try maximumDifference(output, golden)
                // Sharpening multiplies the rounding of the blur by 10·alpha.
                let tolerance: Float = key == "28.0" ? 2e-6 : 5e-7
                #expect(difference <= tolerance, "\(key) \(node["class_type"]?.stringValue ?? ""): \(difference)")
            }
        }
        #expect(compared == 37)
        // Not stored, because equal to others: 0.5 rounds to 0, 0.75 to 1.
        #expect(try maximumDifference(#require(results.tensors["12.0"]), #require(expected["11.0"])) == 0)
        #expect(try maximumDifference(#require(results.tensors["13.0"]), #require(expected["10.0"])) == 0)
        #expect(try maximumDifference(#require(results.tensors["14.0"]), #require(expected["10.0"])) == 0)
    }

    @Test("every scaling node of the case image-scale")
    func imageScale() throws {
        let expected = try Safetensors("sd15/image-scale.expected.safetensors")
        let graph = try #require(JSON(parsing: Array(fixtureData("sd15/image-scale.json"))).objectValue)
        let images = [
            "1": try ImageFile(path: fixturePath("sd15/tiny2.png")).picture().image,
            "2": try ImageFile(path: fixturePath("sd15/tiny.png")).picture().image,
        ]
        var compared = 0
        for (id, node) in graph {
            guard let inputs = node["inputs"], let golden = expected["\(id).0"] else { continue }
            let source = inputs["image"]?[0]?.stringValue.flatMap { images[$0] }
            let result: Tensor
            if let source {
                let (height, width) = (source.shape[1], source.shape[2])
                let size: (width: Int, height: Int)
                if let factor = inputs["scale_by"]?.doubleValue {
                    size = TargetSize.scaled(by: factor, width: width, height: height)
                } else if let megapixels = inputs["megapixels"]?.doubleValue {
                    size = TargetSize.totalPixels(megapixels: megapixels, width: width, height: height)
                } else {
                    size = TargetSize.image(
                        width: try #require(inputs["width"]?.intValue),
                        height: try #require(inputs["height"]?.intValue),
                        ofWidth: width, height: height)
                }
                let method = try #require(inputs["upscale_method"]?.stringValue.flatMap(ResizeMethod.init(rawValue:)))
                let crop = inputs["crop"]?.stringValue.flatMap(ResizeCrop.init(rawValue:)) ?? .disabled
                result = try resizeImage(source, width: size.width, height: size.height, method: method, crop: crop)
            } else {
                result = try joinImageBatches(#require(images["2"]), #require(images["1"]))
            }
            compared += 1
            let difference = try maximumDifference(result, golden)
            #expect(difference <= 6e-7, "\(id): \(difference)")
        }
        #expect(compared == 24)
    }

    @Test("every scaling node of the case latent-scale")
    func latentScale() throws {
        let expected = try Safetensors("sd15/latent-scale.expected.safetensors")
        let graph = try #require(JSON(parsing: Array(fixtureData("sd15/latent-scale.json"))).objectValue)
        let latent = try #require(expected["6.0.samples"])
        var compared = 0
        for (id, node) in graph {
            guard let inputs = node["inputs"], inputs["upscale_method"] != nil else { continue }
            let golden = try #require(expected["\(id).0.samples"])
            let (height, width) = (latent.shape[2], latent.shape[3])
            let size: (width: Int, height: Int) =
                if let factor = inputs["scale_by"]?.doubleValue {
                    TargetSize.scaled(by: factor, width: width, height: height)
                } else {
                    TargetSize.latent(
                        width: try #require(inputs["width"]?.intValue),
                        height: try #require(inputs["height"]?.intValue),
                        ofWidth: width, height: height)
                }
            let method = try #require(inputs["upscale_method"]?.stringValue.flatMap(ResizeMethod.init(rawValue:)))
            let crop = inputs["crop"]?.stringValue.flatMap(ResizeCrop.init(rawValue:)) ?? .disabled
            let result = try commonUpscale(latent, width: size.width, height: size.height, method: method, crop: crop)
            compared += 1
            let scale = try golden.floats().reduce(0) { max($0, abs($1)) }
            let difference = try maximumDifference(result, golden)
            #expect(difference <= 1e-6 * scale, "\(id): \(difference) of \(scale)")
        }
        #expect(compared == 17)
    }
}
