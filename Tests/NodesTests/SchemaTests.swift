import JSON
import NodeKit
import Testing

/// Every node that the reference has too describes itself as the reference does (server-api.md §6).
struct SchemaTests {
    /// The core's nodes all exist in the reference; the packs' do not belong to it.
    @Test(arguments: corePackIDs) func schemaEqualsReference(id: String) throws {
        let reference = try Fixture.json("object_info.json")
        let expected = try #require(reference[id]?.objectValue)
        let definition = try definition(id)
        let actual = try #require(definition.schema.objectInfo(choices: choicesWithoutFiles).objectValue)

        for (key, value) in expected { #expect(comparable(actual[key]) == comparable(value), "\(id): \(key)") }
        // Ours are the texts; nothing else may be added.
        #expect(Set(actual.keys).subtracting(expected.keys) == ["description", "python_module"])
        // JSON objects compare without order, but front ends show inputs in the order of the text.
        for (group, names) in try #require(expected["input_order"]?.objectValue) {
            #expect(actual["input"]?[group]?.objectValue?.keys.map { JSON.string($0) } == names.arrayValue)
        }
    }

    @Test func everyCoreNodeOfTheReferenceIsThere() throws {
        let reference = try #require(try Fixture.json("object_info.json").objectValue)
        #expect(Set(reference.keys) == Set(corePackIDs))
    }

    @Test func idsAreUniqueOverAllPacks() {
        let ids = allPacks.flatMap(\.definitions).map(\.schema.id)
        #expect(Set(ids).count == ids.count)
    }

    /// Widgets in the order in which workflow files store their values (pack-nodes.md §1 and §3).
    @Test(arguments: [
        (
            "GrowMaskWithBlur",
            [
                "expand", "incremental_expandrate", "tapered_corners", "flip_input", "blur_radius", "lerp_alpha",
                "decay_factor", "fill_holes",
            ]
        ),
        ("StringFunction|pysssss", ["action", "tidy_tags", "text_a", "text_b", "text_c"]),
        ("ShowText|pysssss", []),
        ("Text Concatenate (JPS)", ["delimiter"]),
        ("Image Comparer (rgthree)", []),
        ("Seed (rgthree)", ["seed"]),
    ]) func packWidgets(id: String, widgets: [String]) throws {
        let schema = try definition(id).schema
        #expect(schema.inputs.filter(\.isWidget).map(\.name) == widgets)
        #expect(schema.module.hasPrefix("custom_nodes."))
    }

    @Test(arguments: [
        ("GrowMaskWithBlur", ["mask", "mask_inverted"]), ("StringFunction|pysssss", ["STRING"]),
        ("ShowText|pysssss", ["STRING"]), ("Text Concatenate (JPS)", ["text"]), ("Image Comparer (rgthree)", []),
        ("Seed (rgthree)", ["SEED"]),
    ]) func packOutputs(id: String, names: [String]) throws {
        #expect(try definition(id).schema.outputs.map(\.name) == names)
    }
}

private let corePackIDs = allPacks[0].definitions.map(\.schema.id)

/// The reference's file was made with empty folders.
private func choicesWithoutFiles(_ choices: Choices) -> [String] {
    switch choices {
    case .fixed(let names): names
    case .files(_, let extra): extra
    case .inputImages: []
    }
}

/// Without tooltips, which are ours to write; an options object that held nothing else stays as an empty one.
private func comparable(_ json: JSON?) -> JSON? {
    switch json {
    case .array(let items): .array(items.map { comparable($0) ?? .null })
    case .object(let members):
        .object(
            members.reduce(into: JSONObject()) { result, member in
                if member.key != "tooltip" { result[member.key] = comparable(member.value) }
            })
    default: json
    }
}
