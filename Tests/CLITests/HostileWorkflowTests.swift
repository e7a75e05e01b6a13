import Foundation
import GraphRun
import JSON
import Testing

/// Workflow files made to break the program, through the whole of it: file, conversion, validation, what is shown.
@Suite struct HostileWorkflowTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var make: @Sendable () -> String
        /// A part of what is said.
        var says: String
        var isRefused: Bool
        var testDescription: String { name }

        init(_ name: String, says: String, refused: Bool = true, _ make: @escaping @Sendable () -> String) {
            self.name = name
            self.make = make
            self.says = says
            isRefused = refused
        }
    }

    private static func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
    private static func picture(_ image: String) -> String {
        "{\"1\": {\"class_type\": \"PreviewImage\", \"inputs\": {\"images\": \(image)}}}"
    }
    private static func sampler(_ inputs: String) -> String {
        "{\"1\": {\"class_type\": \"KSampler\", \"inputs\": {\(inputs)}},"
            + "\"2\": {\"class_type\": \"VAEDecode\", \"inputs\": {\"samples\": [\"1\", 0]}},"
            + "\"3\": {\"class_type\": \"PreviewImage\", \"inputs\": {\"images\": [\"2\", 0]}}}"
    }
    private static func saved(_ prefix: String) -> String {
        "{\"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \"x.png\"}},"
            + "\"2\": {\"class_type\": \"SaveImage\", \"inputs\": {\"images\": [\"1\", 0], \"filename_prefix\": \(prefix)}}}"
    }
    private static func scaled(_ method: String) -> String {
        "{\"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \"x.png\"}},"
            + "\"2\": {\"class_type\": \"ImageScale\", \"inputs\": {\"image\": [\"1\", 0], \"upscale_method\": \(method),"
            + "\"width\": 8, \"height\": 8, \"crop\": \"disabled\"}},"
            + "\"3\": {\"class_type\": \"PreviewImage\", \"inputs\": {\"images\": [\"2\", 0]}}}"
    }
    private static func loaded(_ name: String) -> String {
        "{\"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \(name)}},"
            + "\"2\": {\"class_type\": \"PreviewImage\", \"inputs\": {\"images\": [\"1\", 0]}}}"
    }
    private static func network(_ name: String) -> String {
        "{\"1\": {\"class_type\": \"UNETLoader\", \"inputs\": {\"unet_name\": \(name), \"weight_dtype\": \"default\"}},"
            + "\"2\": {\"class_type\": \"KSampler\", \"inputs\": {\"model\": [\"1\", 0]}},"
            + "\"3\": {\"class_type\": \"VAEDecode\", \"inputs\": {\"samples\": [\"2\", 0]}},"
            + "\"4\": {\"class_type\": \"PreviewImage\", \"inputs\": {\"images\": [\"3\", 0]}}}"
    }

    static let cases: [Case] = [
        Case("open brackets without end", says: "nesting too deep") { repeated("[", 900_000) },
        Case("objects in objects", says: "nesting too deep") {
            repeated("{\"a\":", 300_000) + "1" + repeated("}", 300_000)
        },
        Case("a deep constant", says: "nesting too deep") { picture(repeated("[", 5000) + repeated("]", 5000)) },
        Case("a million nodes", says: "values, expected at most") {
            "{" + (0..<1_000_000).map { "\"\($0)\":{\"class_type\":\"X\",\"inputs\":{}}" }.joined(separator: ",") + "}"
        },
        Case("a million nodes of an editor", says: "values, expected at most") {
            "{\"nodes\":[" + repeated("{\"id\":1,\"type\":\"X\"},", 1_000_000) + "1],\"links\":[]}"
        },
        Case("a long list of numbers", says: "values, expected at most") {
            picture("[" + repeated("1,", 3_000_000) + "1]")
        },
        Case("a hundred thousand unknown nodes", says: "is not known") {
            "{\"o\":{\"class_type\":\"PreviewImage\",\"inputs\":{\"images\":[\"0\",0]}},"
                + (0..<100_000).map { "\"\($0)\":{\"class_type\":\"X\($0)\",\"inputs\":{\"a\":[\"\($0 + 1)\",0]}}" }
                .joined(separator: ",") + "}"
        },
        Case("a circle of eighty thousand nodes", says: "form a circle") {
            "{\"o\":{\"class_type\":\"PreviewImage\",\"inputs\":{\"images\":[\"0\",0]}},"
                + (0..<80_000).map { number in
                    "\"\(number)\":{\"class_type\":\"ImageScale\",\"inputs\":{\"image\":[\"\((number + 1) % 80_000)\",0],"
                        + "\"upscale_method\":\"area\",\"width\":8,\"height\":8,\"crop\":\"disabled\"}}"
                }.joined(separator: ",") + "}"
        },
        Case("a node linked to itself", says: "circle") {
            "{\"1\":{\"class_type\":\"ImageScale\",\"inputs\":{\"image\":[\"1\",0]}},"
                + "\"2\":{\"class_type\":\"PreviewImage\",\"inputs\":{\"images\":[\"1\",0]}}}"
        },
        Case("a reroute linked to itself", says: "required input is missing") {
            """
            {"nodes":[{"id":1,"type":"Reroute","inputs":[{"name":"","link":1}],"outputs":[{"name":""}]},
            {"id":2,"type":"PreviewImage","inputs":[{"name":"images","type":"IMAGE","link":2}]}],
            "links":[[1,1,0,1,0],[2,1,0,2,0]]}
            """
        },
        Case("sub-graphs that double", says: "expand to more than") {
            let levels = (0..<24).map { level in
                let inner = (0..<4).map { "{\"id\":\($0),\"type\":\"s\(level + 1)\"}" }.joined(separator: ",")
                return "{\"id\":\"s\(level)\",\"nodes\":[\(inner)],\"links\":[]}"
            }
            return "{\"nodes\":[{\"id\":1,\"type\":\"s0\"}],\"links\":[],\"definitions\":{\"subgraphs\":["
                + levels.joined(separator: ",") + "]}}"
        },
        Case("a sub-graph in itself", says: "contains itself") {
            "{\"nodes\":[{\"id\":1,\"type\":\"s\"}],\"links\":[],\"definitions\":{\"subgraphs\":["
                + "{\"id\":\"s\",\"nodes\":[{\"id\":1,\"type\":\"s\"}],\"links\":[]}]}}"
        },
        Case("ids like paths", says: "../../etc/passwd") {
            "{\"../../etc/passwd\":{\"class_type\":\"PreviewImage\",\"inputs\":{\"images\":[\"/etc/shadow\",0]}}}"
        },
        Case("an id with U+0000", says: "U+0000") { "{\"a\\u0000b\":{\"class_type\":\"PreviewImage\",\"inputs\":{}}}" },
        Case("integers beyond 64 bits", says: "seed") {
            sampler("\"seed\": 18446744073709551616, \"steps\": \(repeated("9", 100_000))")
        },
        Case("a negative step count", says: "too small") { sampler("\"steps\": -9223372036854775808") },
        Case("NaN and infinities", says: "cfg") { sampler("\"seed\": NaN, \"cfg\": Infinity, \"denoise\": -Infinity") },
        Case("a number beyond doubles", says: "cfg") { sampler("\"cfg\": 1e999") },
        Case("links to outputs far outside", says: "leads nowhere") {
            "{\"1\":{\"class_type\":\"LoadImage\",\"inputs\":{\"image\":\"x.png\"}},"
                + "\"2\":{\"class_type\":\"PreviewImage\",\"inputs\":{\"images\":[\"1\",9223372036854775807]}},"
                + "\"3\":{\"class_type\":\"PreviewImage\",\"inputs\":{\"images\":[\"1\",-9223372036854775808]}},"
                + "\"4\":{\"class_type\":\"PreviewImage\",\"inputs\":{\"images\":[\"1\",NaN]}}}"
        },
        Case("a combo with control characters", says: "among the choices") {
            scaled("\"ar\\u001b[31mea\\r\\n\\u0000\\u202e\"")
        },
        Case("a class of control characters", says: "node") {
            "{\"\\u001b[2J\":{\"class_type\":\"\\u001b]0;x\\u0007\",\"inputs\":{\"a\":[\"\\u001b[2J\",0]}}}"
        },
        Case("half a character", says: "leads nowhere") { picture("[\"\\ud800\", 0]") },
        Case("a text of 50 MB where a link belongs", says: "cannot be read") {
            picture("\"" + repeated("x", 50_000_000) + "\"")
        },
        Case("a class of 50 MB", says: "no outputs") {
            "{\"1\":{\"class_type\":\"" + repeated("x", 50_000_000) + "\",\"inputs\":{}}}"
        },
        Case("a picture name of 50 MB", says: "longer than any path") {
            loaded("\"" + repeated("x/", 25_000_000) + "\"")
        },
        Case("a prefix of 50 MB", says: "output folder") { saved("\"" + repeated("../", 16_000_000) + "\"") },
        Case("a seed of 50 MB", says: "seed") { sampler("\"seed\": \"" + repeated("9", 50_000_000) + "\"") },
        // Names that leave the folders.
        Case("a picture above the folder", says: "could leave") { loaded("\"../x.png\"") },
        Case("a picture of the machine", says: "absolute path") { loaded("\"/etc/passwd\"") },
        Case("a picture behind an annotation", says: "could leave") { loaded("\"../../x.png [output]\"") },
        Case("a picture with NUL", says: "NUL") { loaded("\"x.png\\u0000.txt\"") },
        Case("a picture through a link", says: "leads out") { loaded("\"way-out/secret.png\"") },
        Case("a prefix above the folder", says: "output folder") { saved("\"a/../../b\"") },
        Case("an absolute prefix", says: "output folder") { saved("\"/tmp/x\"") },
        Case("a prefix with NUL", says: "output folder") { saved("\"a\\u0000b\"") },
        Case("a model above the folder", says: "unet_name") { network("\"../../secret.safetensors\"") },
        Case("an absolute model", says: "unet_name") { network("\"/etc/secret.safetensors\"") },
        Case("a model through a link", says: "leads out of the models folders") { network("\"way-out.safetensors\"") },
    ]

    @Test(.timeLimit(.minutes(10)), arguments: cases) func endsInAnError(_ test: Case) async throws {
        let place = try Workplace()
        let files = FileManager.default
        for folder in ["input", "models/unet", "outside"] {
            try files.createDirectory(atPath: "\(place.path)/\(folder)", withIntermediateDirectories: true)
        }
        try Self.onePixel.write(to: URL(fileURLWithPath: "\(place.path)/input/x.png"))
        try Self.onePixel.write(to: URL(fileURLWithPath: "\(place.path)/outside/secret.png"))
        try Data().write(to: URL(fileURLWithPath: "\(place.path)/outside/secret.safetensors"))
        try files.createSymbolicLink(
            atPath: "\(place.path)/input/way-out", withDestinationPath: "\(place.path)/outside")
        try files.createSymbolicLink(
            atPath: "\(place.path)/models/unet/way-out.safetensors",
            withDestinationPath: "\(place.path)/outside/secret.safetensors")
        let file = try place.file("w.json", test.make())
        for extra in [[], ["--json"]] {
            let console = RecordingConsole()
            let program = Program(composition: .standard, console: console)
            let status = await program.run(["validate", file] + place.folderArguments + extra)
            #expect(status == .invalidWorkflow, "\(test.name)")
            let text = console.notes + console.output
            if extra.isEmpty {
                #expect(console.notes.contains(test.says), "\(test.name): \(console.notes.prefix(2000))")
                #expect(console.notes.utf8.count < 300_000, "\(test.name)")
            }
            for scalar in text.unicodeScalars where scalar.properties.generalCategory == .control && scalar != "\n" {
                Issue.record("\(test.name): a control character is shown")
                break
            }
        }
    }

    /// Invalid UTF-8 and other encodings cannot be written as a Swift text.
    @Test(
        arguments: [
            [0x7B, 0x22, 0xFF, 0xFE, 0x22, 0x3A, 0x31, 0x7D], Array("\u{FEFF}{}".utf8), [0xFF, 0xFE, 0x7B, 0, 0x7D, 0],
            [UInt8](repeating: 0, count: 100_000), [], [0x22], Array(repeating: 0x20, count: 1_000_000),
        ] as [[UInt8]])
    func bytesThatAreNoText(_ bytes: [UInt8]) async throws {
        let place = try Workplace()
        try Data(bytes).write(to: URL(fileURLWithPath: "\(place.path)/w.json"))
        #expect(await place.run("validate", "\(place.path)/w.json") == .invalidWorkflow)
        #expect(place.console.notes.hasPrefix("graphrun: error: "))
    }

    /// A prefix whose folder is a link to outside is only seen when the folder exists: at the run.
    @Test func nothingIsSavedThroughALink() async throws {
        let place = try Workplace()
        for folder in ["input", "output", "outside"] {
            try FileManager.default.createDirectory(
                atPath: "\(place.path)/\(folder)", withIntermediateDirectories: true)
        }
        try Self.onePixel.write(to: URL(fileURLWithPath: "\(place.path)/input/x.png"))
        try FileManager.default.createSymbolicLink(
            atPath: "\(place.path)/output/way-out", withDestinationPath: "\(place.path)/outside")
        for prefix in ["way-out/x", "way-out/new/x"] {
            let file = try place.file("w.json", Self.saved("\"\(prefix)\""))
            let program = Program(composition: .standard, console: place.console)
            #expect(await program.run(["run", file] + place.folderArguments) == .runFailed)
        }
        #expect(place.console.notes.contains("leads out of the output folder"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(place.path)/outside").isEmpty)
    }

    /// A picture of one grey pixel.
    private static let onePixel =
        Data(
            base64Encoded:
                "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
        ?? Data()
}
