import Foundation
import JSON
import NodeKit
import OrderedCollections
import Testing

@testable import Workflow

/// The project's collection of real workflow files, which may not be part of the repository.
enum Collection {
    /// `shared/workflows` beside this package or further up.
    static let folder: URL? = {
        var place = URL(fileURLWithPath: #filePath)
        while place.path != "/" {
            place.deleteLastPathComponent()
            let candidate = place.appendingPathComponent("shared/workflows")
            if FileManager.default.fileExists(atPath: candidate.appendingPathComponent("SOURCES.md").path) {
                return candidate
            }
        }
        return nil
    }()

    static let files: [String] = {
        guard let folder, let found = FileManager.default.enumerator(atPath: folder.path) else { return [] }
        return found.compactMap { $0 as? String }.filter { $0.hasSuffix(".json") }.sorted()
    }()

    /// The names (without ".ui.json") of files that exist in both formats.
    static let pairs = files.filter { $0.hasSuffix(".ui.json") }.map { String($0.dropLast(8)) }

    /// The pairs that SOURCES.md says do not belong together.
    static let mismatched: Set<String> = {
        guard let folder,
            let text = try? String(contentsOf: folder.appendingPathComponent("SOURCES.md"), encoding: .utf8)
        else { return [] }
        var result: Set<String> = []
        var current = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("- `"), let name = line.split(separator: "`").dropFirst().first { current = String(name) }
            if line.contains("NOT a conversion pair") { result.insert(String(current.dropLast(8))) }
        }
        return result
    }()

    static func path(_ name: String) -> String { folder?.appendingPathComponent(name).path ?? name }

    static let absent = Comment("the workflow collection (shared/workflows) is not here")
}

@Suite(.enabled(if: Collection.folder != nil, Collection.absent))
struct CollectionTests {
    @Test func everyFileParsesAndConverts() throws {
        #expect(Collection.files.count > 150)
        for name in Collection.files {
            let file = try WorkflowFile.load(path: Collection.path(name))
            let conversion = try file.conversion(schemas: { _ in nil })
            #expect(!conversion.prompt.nodes.isEmpty, "\(name)")
            // What was converted can be written and read again.
            let text = conversion.prompt.metadataText
            #expect(try Prompt(JSON(parsing: text)).nodes.keys == conversion.prompt.nodes.keys, "\(name)")
        }
    }

    @Test func conversionsEqualThePrompts() throws {
        var matching = 0
        var different: [String] = []
        for name in Collection.pairs where !Collection.mismatched.contains(name) {
            let ui = try WorkflowFile.load(path: Collection.path(name + ".ui.json"))
            let api = try WorkflowFile.load(path: Collection.path(name + ".api.json"))
            let conversion = try ui.conversion(schemas: { _ in nil })
            let expected = try #require(api.prompt)
            let differences = Self.differences(conversion.prompt, expected)
            if differences.isEmpty { matching += 1 } else { different.append(name) }
            #expect(differences.isEmpty, "\(name): \(differences.prefix(8).joined(separator: "\n  "))")
        }
        print("\(matching) of \(matching + different.count) pairs match; different: \(different)")
        #expect(matching > 30)
    }

    /// What the prompt has that the conversion has not; the conversion may have more inputs.
    static func differences(_ converted: Prompt, _ expected: Prompt) -> [String] {
        var result: [String] = []
        for id in Set(converted.nodes.keys).symmetricDifference(expected.nodes.keys).sorted() {
            result.append("node \(id) \((converted[id] ?? expected[id])?.classType ?? "") is only in one")
        }
        for (id, node) in expected.nodes {
            guard let other = converted[id] else { continue }
            if node.classType != other.classType { result.append("\(id): \(other.classType) for \(node.classType)") }
            for (name, value) in node.inputs where !PackRules.isFrontEndOnly(name) {
                if !isEqual(other.inputs[name], value) {
                    result.append(
                        "\(id) \(node.classType).\(name): \(other.inputs[name].map { "\($0)" } ?? "nothing") for \(value)"
                    )
                }
            }
        }
        return result
    }

    private static func isEqual(_ a: PromptValue?, _ b: PromptValue) -> Bool {
        if case .literal(let x)? = a, case .literal(let y) = b, let p = x.doubleValue, let q = y.doubleValue {
            return x == y || (p == q && abs(p) < 0x1p53)
        }
        return a == b
    }
}
