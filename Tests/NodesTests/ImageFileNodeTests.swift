import Foundation
import Images
import JSON
import NodeKit
import Tensors
import Testing

struct ImageFileNodeTests {
    private let installation: TestInstallation
    init() throws { installation = try TestInstallation() }

    private func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(installation.root)/\(folder)").sorted()
    }

    @Test func saveImageCountsOnAndWritesTheWorkflow() async throws {
        let prompt: JSON = .object(["1": .object(["class_type": .string("SaveImage"), "é": .double(1)])])
        let workflow: JSONObject = ["workflow": .object(["nodes": .array([])])]
        let context = installation.context(prompt: prompt, extraPNGInfo: workflow)
        let pictures = Image(try Tensor.full([2, 3, 5, 3], 0.5))
        for _ in 0..<2 {
            _ = try await call("SaveImage", ["images": pictures, "filename_prefix": "sub/a %width%"], context)
        }

        let names = ["a 5_00001_.png", "a 5_00002_.png", "a 5_00003_.png", "a 5_00004_.png"]
        #expect(try files("output/sub") == names)
        let shown = names.map { name -> JSON in
            .object(["filename": .string(name), "subfolder": .string("sub"), "type": .string("output")])
        }
        #expect(installation.shown == [["images": .array(Array(shown[..<2]))], ["images": .array(Array(shown[2...]))]])

        let file = try ImageFile(path: "\(installation.root)/output/sub/\(names[3])")
        let texts = try file.texts()
        #expect(texts.map(\.keyword) == ["prompt", "workflow"])
        #expect(texts["prompt"] == #"{"1": {"class_type": "SaveImage", "\u00e9": 1.0}}"#)
        #expect(texts["workflow"] == #"{"nodes": []}"#)
        // Half of 255 is cut, not rounded.
        #expect(try file.picture().image.floats().allSatisfy { $0 == 127.0 / 255 })
    }

    @Test func saveImageStaysInItsFolder() async throws {
        let picture = Image(try Tensor.zeros([1, 2, 2, 3]))
        let message = await failure {
            _ = try await call(
                "SaveImage", ["images": picture, "filename_prefix": "../x"], installation.context())
        }
        #expect(message.contains("output folder"))
        #expect(try files("").sorted() == ["input", "models", "output", "temp"])
    }

    @Test func previewsOfDifferentNodesDoNotCollide() async throws {
        let picture = Image(try Tensor.zeros([1, 2, 2, 3]))
        for node in ["12", "a/..:3"] {
            _ = try await call("PreviewImage", ["images": picture], installation.context(node: node))
        }
        #expect(try files("temp") == ["preview_12_00001_.png", "preview_a----3_00001_.png"])
        #expect(installation.shown[0]["images"]?[0]?["type"] == .string("temp"))
        #expect(try files("output").isEmpty)
    }

    @Test func comparerShowsBothSides() async throws {
        let picture = Image(try Tensor.zeros([1, 2, 2, 3]))
        _ = try await call("Image Comparer (rgthree)", ["image_b": picture], installation.context())
        let shown = try #require(installation.shown.first)
        #expect(shown["a_images"] == .array([]))
        #expect(shown["b_images"]?[0]?["filename"]?.stringValue?.hasPrefix("rgthree.compare") == true)
    }

    @Test func loadImageReportsWhatIsWrong() async throws {
        let message = await failure {
            _ = try await call("LoadImage", ["image": "absent.png"], installation.context())
        }
        #expect(message.contains("absent.png"))
        let channel = await failure {
            try installation.add(input: "tiny.png")
            _ = try await call("LoadImageMask", ["image": "tiny.png", "channel": "cyan"], installation.context())
        }
        #expect(channel.contains("alpha, red, green, blue"))
    }
}
