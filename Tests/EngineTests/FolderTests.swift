import Engine
import Foundation
import JSON
import NodeKit
import Tensors
import Testing

/// A folder of the test's own, removed when it is done.
final class Sandbox {
    let path: String
    init() throws {
        path = NSTemporaryDirectory() + "/graphrun-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult func file(_ name: String, _ content: String = "x") throws -> String {
        let full = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try content.write(toFile: full, atomically: false, encoding: .utf8)
        return full
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
    }

    func folders(extra: [String] = []) throws -> ModelFolders {
        try ModelFolders(
            models: "\(path)/models", input: "\(path)/input", output: "\(path)/output", extraModelPaths: extra)
    }
}

@Suite struct ModelFolderTests {
    @Test func oldAndNewNamesAreOneType() throws {
        let box = try Sandbox()
        for name in ["unet/a", "diffusion_models/b", "clip/c", "text_encoders/d", "loras/e"] {
            try box.file("models/\(name).safetensors")
        }
        let folders = try box.folders()
        #expect(folders.modelNames("unet") == ["a.safetensors", "b.safetensors"])
        #expect(folders.modelNames("diffusion_models") == ["a.safetensors", "b.safetensors"])
        #expect(folders.modelNames("clip") == ["c.safetensors", "d.safetensors"])
        #expect(folders.modelNames("loras") == ["e.safetensors"])
        #expect(folders.modelNames("never_heard_of") == [])
        #expect(try folders.model("diffusion_models", "a.safetensors") == "\(box.path)/models/unet/a.safetensors")
        #expect(try folders.model("unet", "b.safetensors") == "\(box.path)/models/diffusion_models/b.safetensors")
    }

    @Test func subfoldersAreListedAndOnlyModelFilesCount() throws {
        let box = try Sandbox()
        for name in [
            "z.safetensors", "FLUX/a.safetensors", "FLUX/x/b.SFT", "readme.txt", ".hidden.safetensors", ".git/c.pt",
        ] {
            try box.file("models/loras/\(name)")
        }
        let folders = try box.folders()
        #expect(folders.modelNames("loras") == ["FLUX/a.safetensors", "FLUX/x/b.SFT", "z.safetensors"])
        #expect(try folders.model("loras", "FLUX\\x\\b.SFT") == "\(box.path)/models/loras/FLUX/x/b.SFT")
        #expect(throws: NodeError.self) { try folders.model("loras", "readme.txt") }
    }

    @Test func linksAreFollowedButNotInCircles() throws {
        let box = try Sandbox()
        try box.file("elsewhere/real.safetensors")
        try box.file("models/vae/own.safetensors")
        try box.link("models/vae/linked", to: "\(box.path)/elsewhere")
        try box.link("models/vae/again", to: "\(box.path)/models/vae")
        try box.link("models/vae/broken.safetensors", to: "\(box.path)/nowhere")
        #expect(try box.folders().modelNames("vae") == ["linked/real.safetensors", "own.safetensors"])
    }

    @Test(arguments: [
        "../secret.safetensors", "..\\secret.safetensors", "/etc/passwd", "\\x.safetensors",
        "a/../../secret.safetensors",
        "C:\\x.safetensors", "a\u{0}.safetensors", "", ".", "./",
    ])
    func namesCannotLeaveTheFolder(_ name: String) throws {
        let box = try Sandbox()
        try box.file("models/secret.safetensors")
        try box.file("models/loras/a.safetensors")
        try box.file("secret.png")
        try box.file("input/a.png")
        let folders = try box.folders()
        #expect(throws: NodeError.self) { try folders.model("loras", name) }
        #expect(throws: NodeError.self) { try folders.input(name) }
    }

    @Test func errorsNameTheFoldersAndTheNearestFile() throws {
        let box = try Sandbox()
        try box.file("models/unet/flux1-dev.safetensors")
        let folders = try box.folders()
        do {
            _ = try folders.model("unet", "flux-dev1.safetensors")
            Issue.record("no such file")
        } catch {
            let text = "\(error)"
            #expect(text.contains("\(box.path)/models/unet, \(box.path)/models/diffusion_models"))
            #expect(text.contains("flux1-dev.safetensors"))
        }
    }

    @Test func aComfyUIFolderIsTakenForItsModelsFolder() throws {
        let box = try Sandbox()
        try box.file("models/loras/a.safetensors")
        let folders = try ModelFolders(models: box.path, input: "in", output: "out")
        #expect(folders.modelNames("loras") == ["a.safetensors"])
    }

    @Test func extraPathsComeAfterOrBeforeOurOwn() throws {
        let box = try Sandbox()
        try box.file("models/loras/same.safetensors")
        try box.file("first/loras/same.safetensors")
        try box.file("last/same.safetensors")
        try box.file("last/more.safetensors")
        let file = try box.file(
            "extra.yaml",
            "late:\n  base_path: \(box.path)\n  loras: last\nearly:\n  base_path: first\n  is_default: true\n  loras: loras\n"
        )
        let folders = try box.folders(extra: [file])
        #expect(
            folders.modelFolders("loras") == [
                "\(box.path)/first/loras", "\(box.path)/models/loras", "\(box.path)/last",
            ])
        #expect(try folders.model("loras", "same.safetensors") == "\(box.path)/first/loras/same.safetensors")
        #expect(folders.modelNames("loras") == ["more.safetensors", "same.safetensors"])
    }

    @Test func theFileBesideTheModelsIsFound() throws {
        let box = try Sandbox()
        try box.file("shared/x.safetensors")
        try box.file("models/vae/y.safetensors")
        try box.file("extra_model_paths.yaml", "a:\n    vae: shared\n")
        #expect(try box.folders().modelNames("vae") == ["x.safetensors", "y.safetensors"])
        try box.file("extra_model_paths.yaml", "a:\n\tvae: shared\n")
        #expect(throws: FileError.self) { try box.folders() }
    }
}

@Suite struct InputFolderTests {
    @Test func picturesMayHaveAnnotationsAndSubfolders() throws {
        let box = try Sandbox()
        for name in ["input/x.png", "input/clipspace/y.png", "output/z.png", "input/notes.txt", "input/B.JPG"] {
            try box.file(name)
        }
        let folders = try box.folders()
        let root = try #require(realpathOf(box.path))
        #expect(folders.inputNames() == ["B.JPG", "x.png"])
        #expect(try folders.input("x.png") == "\(root)/input/x.png")
        #expect(try folders.input("clipspace/y.png [input]") == "\(root)/input/clipspace/y.png")
        #expect(try folders.input("clipspace\\y.png") == "\(root)/input/clipspace/y.png")
        #expect(try folders.input("z.png [output]") == "\(root)/output/z.png")
        #expect(throws: NodeError.self) { try folders.input("z.png") }
        #expect(throws: NodeError.self) { try folders.input("clipspace") }
        let preview = folders.temporaryFolder + "/p.png"
        try "x".write(toFile: preview, atomically: false, encoding: .utf8)
        #expect(try folders.input("p.png [temp]") == realpathOf(preview))
    }

    @Test func linksThatLeadOutAreRefused() throws {
        let box = try Sandbox()
        try box.file("secret.png")
        try box.file("input/x.png")
        try box.link("input/link.png", to: "\(box.path)/secret.png")
        try box.link("input/inside.png", to: "\(box.path)/input/x.png")
        let folders = try box.folders()
        #expect(throws: NodeError.self) { try folders.input("link.png") }
        #expect(try folders.input("inside.png").hasSuffix("/input/x.png"))
    }

    @Test func outputAndTemporaryFoldersAreMadeWhenNeeded() throws {
        let box = try Sandbox()
        let folders = try box.folders()
        #expect(!FileManager.default.fileExists(atPath: "\(box.path)/output"))
        #expect(FileManager.default.fileExists(atPath: folders.outputFolder))
        let temporary = folders.temporaryFolder
        #expect(folders.temporaryFolder == temporary)
        try "x".write(toFile: temporary + "/a.png", atomically: false, encoding: .utf8)
        folders.removeTemporaryFolder()
        #expect(!FileManager.default.fileExists(atPath: temporary))
        #expect(folders.temporaryFolder != temporary)
    }

    @Test func theTemporaryFolderGoesWithItsOwner() throws {
        let box = try Sandbox()
        let temporary = try box.folders().temporaryFolder
        #expect(!FileManager.default.fileExists(atPath: temporary))
    }

    @Test func unfinishedFilesOfThisProcessAreRemoved() throws {
        let box = try Sandbox()
        let own = ".graphrun-\(ProcessInfo.processInfo.processIdentifier)-abc.tmp"
        for name in ["output/\(own)", "output/sub/\(own)", "output/.graphrun-1-abc.tmp", "output/a.png"] {
            try box.file(name)
        }
        try box.folders().removeUnfinishedFiles()
        let left = try FileManager.default.subpathsOfDirectory(atPath: "\(box.path)/output").sorted()
        #expect(left == [".graphrun-1-abc.tmp", "a.png", "sub"])
    }

    @Test func fingerprintsFollowTheContent() throws {
        let box = try Sandbox()
        let file = try box.file("a.png", "one")
        let folders = try box.folders()
        let first = try folders.fingerprint(path: file)
        #expect(try folders.fingerprint(path: file) == first)
        try box.file("a.png", "longer")
        #expect(try folders.fingerprint(path: file) != first)
        #expect(throws: FileError.self) { try folders.fingerprint(path: box.path + "/nowhere") }
    }

    private func realpathOf(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}

@Suite struct ExtraModelPathsTests {
    private func read(_ text: String) throws -> ExtraModelPaths {
        try ExtraModelPaths(text: text, file: "extra.yaml", relativeTo: "/etc/x")
    }

    @Test func theFileThatComfyUIShips() throws {
        let paths = try read(
            """
            #Rename this to extra_model_paths.yaml and ComfyUI will load it

            #config for a1111 ui
            a111:
                base_path: path/to/stable-diffusion-webui/

                checkpoints: models/Stable-diffusion
                loras: |
                     models/Lora
                     models/LyCORIS
                vae: "models/VAE"   # quoted

            comfyui:
                 base_path: /data/comfyui
                 is_default: true
                 text_encoders: |
                      models/text_encoders/
                      models/clip/  # legacy location still supported
                 unet: 'a #b'
            other:
              clip:
                - /abs/one
                - two
            empty:
            """)
        func folders(_ section: Int) -> [String] {
            paths.sections[section].folders.map { "\($0.type) \($0.path)" }
        }
        #expect(paths.sections.map(\.name) == ["a111", "comfyui", "other", "empty"])
        #expect(paths.sections.map(\.isDefault) == [false, true, false, false])
        let base = "/etc/x/path/to/stable-diffusion-webui/"
        #expect(
            folders(0) == [
                "checkpoints \(base)models/Stable-diffusion", "loras \(base)models/Lora", "loras \(base)models/LyCORIS",
                "vae \(base)models/VAE",
            ])
        #expect(
            folders(1) == [
                "text_encoders /data/comfyui/models/text_encoders/", "text_encoders /data/comfyui/models/clip/",
                "diffusion_models /data/comfyui/a #b",
            ])
        #expect(folders(2) == ["text_encoders /abs/one", "text_encoders /etc/x/two"])
        #expect(folders(3).isEmpty)
    }

    @Test(arguments: [
        ("a: b", "line 1"), ("  a: b", "line 1"), ("a:\n  b", "line 2"), ("a:\n\tb: c", "line 2"),
        ("a:\n  b: c\n    d: e", "line 3"), ("a:\n  b: {c: d}", "line 2"), ("a:\n  b: \"c", "line 2"),
        ("a:\n  b: c\n  b: d", "line 3"), ("a:\na:", "line 2"), ("a:\n  : c", "line 2"), ("a:\n  b: *c", "line 2"),
        ("- a", "line 1"),
    ])
    func faultsNameTheirLine(_ text: String, _ line: String) {
        do {
            let paths = try read(text)
            Issue.record("read as \(paths)")
        } catch {
            #expect("\(error)".hasPrefix("extra.yaml \(line) "), "\(error)")
        }
    }

    @Test func emptyFilesAndWindowsLineEndsAreFine() throws {
        #expect(try read("").sections.isEmpty)
        #expect(try read("# nothing\n---\n").sections.isEmpty)
        #expect(try read("a:\r\n  vae: x\r\n").sections[0].folders.map(\.path) == ["/etc/x/x"])
    }

    @Test func homeAndVariablesAreFilledIn() throws {
        let home = try #require(getenv("HOME").map { String(cString: $0) })
        let paths = try read(
            "a:\n  base_path: ${HOME}/base\n  vae: sub\n  loras: $HOME/l\n  controlnet: ~/c\n"
                + "  upscale_models: /u/$GRAPHRUN_SET_NOWHERE/${GRAPHRUN_SET_NOWHERE}/$/${x\n")
        #expect(
            paths.sections[0].folders.map(\.path) == [
                "\(home)/base/sub", "\(home)/l", "\(home)/c",
                "/u/$GRAPHRUN_SET_NOWHERE/${GRAPHRUN_SET_NOWHERE}/$/${x",
            ])
    }

    @Test func aMissingFileIsAnError() {
        #expect(throws: FileError.self) { try ExtraModelPaths(file: "/nowhere/extra.yaml") }
    }
}

@Suite struct SafetensorsWriterTests {
    @Test func theFileIsWhatTheFormatSays() throws {
        let box = try Sandbox()
        var writer = SafetensorsWriter()
        let matrix = try Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
        writer.add(matrix, as: "a")
        writer.add(try matrix.permuted([1, 0]), as: "b")
        writer.add(try Tensor([9]), as: "a")
        writer.add(try matrix.converted(to: .bfloat16), as: "c")
        let path = box.path + "/out.safetensors"
        try writer.write(to: path)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
        #expect(length % 8 == 0)
        let header = try JSON(parsing: bytes[8..<8 + length])
        #expect(
            header
                == .object([
                    "a": .object(["dtype": "F32", "shape": .array([2, 3]), "data_offsets": .array([0, 24])]),
                    "b": .object(["dtype": "F32", "shape": .array([3, 2]), "data_offsets": .array([24, 48])]),
                    "c": .object(["dtype": "BF16", "shape": .array([2, 3]), "data_offsets": .array([48, 60])]),
                ]))
        let data = bytes[(8 + length)...]
        #expect(data.count == 60)
        let floats = data.prefix(48).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        #expect(floats == [1, 2, 3, 4, 5, 6, 1, 4, 2, 5, 3, 6])
        #expect(try FileManager.default.contentsOfDirectory(atPath: box.path) == ["out.safetensors"])
    }

    @Test func nothingIsLeftWhenItCannotBeWritten() throws {
        let box = try Sandbox()
        #expect(throws: FileError.self) { try SafetensorsWriter().write(to: box.path + "/nowhere/x.safetensors") }
        try FileManager.default.createDirectory(atPath: box.path + "/folder", withIntermediateDirectories: true)
        #expect(throws: FileError.self) { try SafetensorsWriter().write(to: box.path + "/folder") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: box.path) == ["folder"])
    }
}
