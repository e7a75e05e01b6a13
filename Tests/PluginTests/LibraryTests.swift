import Foundation
import Hashing
import JSON
import NodeKit
import Plugins
import Tensors
import Testing

/// What needs packages that are built; one workbench for all.
@Suite(.enabled(if: executable != nil, "the program is not built beside the tests"), .serialized, .workbench)
struct InstalledLibraries {}

extension InstalledLibraries {
    @Suite struct LibraryTests {
        private let bench: Workbench

        init() throws { bench = try #require(Workbench.current) }

        @Test func buildingInstallsALibraryWithItsManifest() throws {
            for (ended, name, count) in [(bench.darkroom, "Darkroom", 12), (bench.brighter, "Brighter", 1)] {
                #expect(ended.status == 0, "\(ended.notes)")
                #expect(ended.output.hasPrefix("\(bench.nodes)/\(name)-"))
                let manifest = try JSON(
                    parsing: String(contentsOfFile: "\(bench.nodes)/\(name).nodes.json", encoding: .utf8))
                let library = try Data(
                    contentsOf: URL(fileURLWithPath: "\(bench.nodes)/\(manifest["library"]?.stringValue ?? "")"))
                #expect(manifest["sha256"]?.stringValue == SHA256.digest(library).description)
                #expect(manifest["layout"]?.stringValue == NodeKitVersion.current.layout)
                #expect(manifest["nodes"]?.arrayValue?.count == count)
            }
        }

        @Test func thePackagesOwnTestsRun() async throws {
            let ended = try await run("/usr/bin/env", ["swift", "test", "--package-path", bench.path + "/Brighter"])
            #expect(ended.status == 0, "\(ended.output) \(ended.notes)")
            #expect((ended.output + ended.notes).contains("Test coloursAreMultiplied() passed"))
        }

        @Test func nodesAreListedWithTheirFiles() async throws {
            let ended = try await bench.graphrun("nodes", "list", "--json")
            #expect(ended.status == 0 && ended.notes.isEmpty, "\(ended.notes)")
            let list = try #require(ended.json().arrayValue)
            let core = try #require(list.first { $0["module"] == .string("core") || $0["file"] == .string("built in") })
            #expect(core["loaded"] == .bool(true) && core["sha256"] == nil)
            let own = try #require(list.first { $0["module"] == .string("Brighter") })
            #expect(own["loaded"] == .bool(true) && own["nodes"] == .array([.string("Brighter")]))
            #expect(own["file"]?.stringValue?.hasPrefix(bench.nodes) == true)
            let text = try await bench.graphrun("nodes", "list")
            #expect(text.output.contains("Brighter: loaded\n    file    \(bench.nodes)/Brighter-"))
            #expect(text.output.contains("NodeKit \(NodeKitVersion.current.number), layout"))

            let refused = try await bench.graphrun("nodes", "list", "--only-builtin", "--json")
            let other = try refused.json().arrayValue?.first { $0["module"] == .string("Brighter") }
            #expect(other?["loaded"] == .bool(false) && other?["refused"] == .string("--only-builtin"))
        }

        @Test func schemasOfLibrariesAreInObjectInfo() async throws {
            let info = try await bench.graphrun("nodes", "--json").json()
            #expect(info["Develop"]?["python_module"] == .string("custom_nodes.Darkroom"))
            #expect(info["Develop"]?["input"]?["optional"]?["mask"]?[0] == .string("MASK"))
            #expect(info["Develop"]?["input"]?["required"]?["film_type"]?[0]?[1] == .string("positive"))
            #expect(info["FindPalette"]?["output"] == .array([.string("PALETTE")]))
            let described = try await bench.graphrun("nodes", "Brighter")
            #expect(described.output.contains("factor: FLOAT, default 1.5"))
            #expect(try await bench.graphrun("nodes", "--only-builtin", "Brighter").status == 2)
        }

        /// Core nodes feed one library's nodes, these another's, and these core nodes; pictures, texts, a type of a library's
        /// own, a lazy input, an expansion and a shown text.
        @Test func valuesCrossInAWorkflow() async throws {
            let input = bench.path + "/input"
            try FileManager.default.createDirectory(atPath: input, withIntermediateDirectories: true)
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            try FileManager.default.copyItem(
                atPath: root.appendingPathComponent("Workflows/input/harbour.png").path, toPath: input + "/a.png")
            let workflow = try bench.file(
                "workflow.json",
                """
                {"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
                 "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "area", "width": 16,
                       "height": 8, "crop": "disabled"}},
                 "3": {"class_type": "Expose", "inputs": {"image": ["2", 0], "factor": 0.5}},
                 "4": {"class_type": "Brighter", "inputs": {"image": ["3", 0], "factor": 1.5}},
                 "5": {"class_type": "ExposeTwice", "inputs": {"image": ["4", 0], "factor": 0.5}},
                 "6": {"class_type": "ImageScale", "inputs": {"image": ["4", 0], "upscale_method": "nearest-exact",
                       "width": 16, "height": 8, "crop": "disabled"}},
                 "7": {"class_type": "FindPalette", "inputs": {"image": ["6", 0]}},
                 "8": {"class_type": "NamePalette", "inputs": {"palette": ["7", 0]}},
                 "9": {"class_type": "Describe", "inputs": {"anything": ["7", 0]}},
                 "10": {"class_type": "Choose", "inputs": {"takes_first": true, "first": ["4", 0], "second": ["11", 0]}},
                 "11": {"class_type": "Develop", "inputs": {"image": ["4", 0], "film_type": "negative", "passes": 1,
                        "grey": true}},
                 "12": {"class_type": "Caption", "inputs": {"text": ["8", 0]}},
                 "13": {"class_type": "Caption", "inputs": {"text": ["9", 0]}},
                 "14": {"class_type": "SaveImage", "inputs": {"images": ["10", 0], "filename_prefix": ["8", 0]}},
                 "15": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "twice"}}}
                """)
            let ended = try await bench.graphrun(
                workflow, "--json", "--models", bench.path + "/models", "--input", input, "--output",
                bench.path + "/output",
                "--save-outputs", bench.path + "/all.safetensors")
            #expect(ended.status == 0, "\(ended.notes) \(ended.output)")
            let tensors = try bench.tensors("all.safetensors")
            let scaled = try #require(tensors["2.0"])
            #expect(scaled.count == 16 * 8 * 3 && scaled.contains { $0 > 0.1 })
            let brighter = scaled.map { min($0 * 0.5, 1) }.map { min(max($0 * 1.5, 0), 1) }
            #expect(tensors["3.0"] == scaled.map { min($0 * 0.5, 1) })
            #expect(tensors["4.0"] == brighter)
            #expect(tensors["6.0"] == brighter)
            #expect(tensors["10.0"] == brighter)
            #expect(tensors["5.0"] == brighter.map { $0 * 0.5 * 0.5 })
            #expect(tensors["11.0"] == nil, "nothing asked for the lazy input")
            let events = try ended.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
            let shown = events.compactMap { $0["data"]?["output"]?["text"]?[0]?.stringValue }.sorted()
            #expect(shown == ["16 colours", "a palette of 16"])
            let files = try FileManager.default.contentsOfDirectory(atPath: bench.path + "/output").sorted()
            #expect(files == ["16 colours_00001_.png", "twice_00001_.png"])

            let refused = try await bench.graphrun("validate", workflow, "--only-builtin", "--input", input)
            #expect(refused.status == 3)
            #expect(refused.notes.contains("Expose"))
        }

        /// The host here is the test runner, another program with the same libNodeKit.so.
        @Test func castsWorkInAnotherHost() async throws {
            let found = NodeLibraries.load(named: [bench.nodes], perUser: nil)
            #expect(found.warnings.isEmpty)
            // The library's digest is the nodes' version, so that results of another build are not used.
            for library in found.libraries {
                guard case .loaded(let pack) = library.state else { continue }
                let version = try #require(Int(library.manifest?.digest.prefix(13) ?? "", radix: 16))
                #expect(pack.definitions.allSatisfy { $0.schema.version == version })
            }
            let definitions = found.packs.flatMap(\.definitions)
            func node(_ id: String) throws -> NodeDefinition { try #require(definitions.first { $0.schema.id == id }) }
            let trial = try NodeTrial()
            let context = NodeContext(nodeID: "1", backend: trial.backend, files: trial.files, events: SilentEvents())
            let image = Image(try Tensor([0.25, 0.5, 0.75], shape: [1, 1, 1, 3]))
            let exposed = try await node("Expose").run(["image": [image], "factor": [2]], context)
            let result = try #require(exposed[0][0] as? Image)
            #expect(try result.tensor.floats() == [0.5, 1, 1])
            let palette = try await node("FindPalette").run(["image": [result]], context)[0][0]
            #expect(type(of: palette).socketType == "PALETTE")
            #expect(palette.byteCount == 80)
            let naming = try node("NamePalette")
            let names = try await naming.run(["palette": [palette]], context)
            #expect(names[0][0] as? String == "1 colours")
            await #expect(throws: NodeError.self) { _ = try await naming.run(["palette": [image]], context) }
            let asked = try #require(try node("Choose").lazyCheck)
            let needed = try await asked(["takes_first": [false]], context)
            #expect(needed == ["second"])
            // A second time the same library is there already.
            #expect(NodeLibraries.load(named: [bench.nodes], perUser: nil).packs.count == 2)
        }

        @Test func brokenPackagesAreExplained() async throws {
            let none = try await bench.graphrun("nodes", "build", bench.path)
            #expect(none.status == 2 && none.notes.contains("there is no Package.swift in it"))
            let before = try FileManager.default.contentsOfDirectory(atPath: bench.nodes).sorted()
            let source = bench.path + "/Brighter/Sources/Brighter/Broken.swift"
            try "let number: Int = \"text\"".write(toFile: source, atomically: false, encoding: .utf8)
            let broken = try await bench.graphrun("nodes", "build", bench.path + "/Brighter")
            try FileManager.default.removeItem(atPath: source)
            #expect(broken.status == 1)
            #expect(broken.notes.contains("Broken.swift") && broken.notes.contains("swift build failed"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: bench.nodes).sorted() == before)
        }

        /// Scripts, workflows and translations come with the library, and go with it.
        @Test func filesForTheEditorAreInstalled() async throws {
            let (folder, package) = (bench.path + "/editor", bench.path + "/Brighter")
            let files = FileManager.default
            for name in ["web/deep", "example_workflows", "locales/en", "other"] {
                try files.createDirectory(atPath: "\(package)/\(name)", withIntermediateDirectories: true)
                try "1".write(toFile: "\(package)/\(name)/file.js", atomically: false, encoding: .utf8)
            }
            #expect(try await bench.graphrun("nodes", "build", package, "--nodes", folder).status == 0)
            let installed = folder + "/Brighter.editor"
            #expect(
                try files.contentsOfDirectory(atPath: installed).sorted() == ["example_workflows", "locales", "web"])
            #expect(files.contents(atPath: installed + "/web/deep/file.js") == Data("1".utf8))
            let library = try #require(
                NodeLibraries.load(named: [folder], perUser: nil, only: ["Brighter"]).libraries.first)
            #expect(library.editorFolder == installed)
            #expect(NodeLibraries.load(named: [folder], perUser: nil, only: []).libraries.isEmpty)
            // A link could lead anywhere.
            try files.createSymbolicLink(atPath: package + "/web/link", withDestinationPath: "/etc/passwd")
            let refused = try await bench.graphrun("nodes", "build", package, "--nodes", folder)
            #expect(refused.status == 1 && refused.notes.contains("web/link"))
            for name in ["web", "example_workflows", "locales", "other"] {
                try files.removeItem(atPath: "\(package)/\(name)")
            }
            #expect(try await bench.graphrun("nodes", "build", package, "--nodes", folder).status == 0)
            #expect(!files.fileExists(atPath: installed))
        }

        @Test func anotherVersionReplacesTheLibrary() async throws {
            let folder = bench.path + "/versions"
            #expect(try await bench.graphrun("nodes", "build", bench.path + "/Brighter", "--nodes", folder).status == 0)
            let first = try FileManager.default.contentsOfDirectory(atPath: folder)
            let source = bench.path + "/Brighter/Sources/Brighter/More.swift"
            try """
            import NodeKit
            let more = NodePack("Brighter", nodes: [BrighterNode.self])
            public func number() -> Int { 7 }
            """.write(toFile: source, atomically: false, encoding: .utf8)
            #expect(try await bench.graphrun("nodes", "build", bench.path + "/Brighter", "--nodes", folder).status == 0)
            try FileManager.default.removeItem(atPath: source)
            let second = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(first.count == 2 && second.count == 2 && Set(first) != Set(second))
            // The folder that is named comes before the user's own, which has the other version.
            let list = try await bench.graphrun("nodes", "list", "--nodes", folder, "--json").json().arrayValue ?? []
            let states = list.filter { $0["module"] == .string("Brighter") }.map { $0["loaded"] }
            #expect(states == [.bool(true), .bool(false)])
        }
    }
}

private struct SilentEvents: NodeEvents {
    func checkCancellation() throws {}
    func progress(node: String, done: Double, total: Double) {}
    func warning(node: String, _ message: String) {}
    func ui(node: String, _ output: JSONObject) {}
}
