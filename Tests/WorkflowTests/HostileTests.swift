import JSON
import NodeKit
import OrderedCollections
import Testing

@testable import Workflow

/// Files made to break the reader: an error or a prompt, never a trap, a hang or unbounded memory.
@Suite struct HostileTests {
    /// One file with everything in it.
    private static let everything: JSON = {
        var sketch = Sketch()
        sketch.node(1, "CheckpointLoaderSimple", [], ["MODEL", "CLIP", "VAE"], values: "[\"m\"]")
        sketch.node(
            2, "KSampler", ["model:MODEL=1", "seed:INT*=2", "latent_image:LATENT=3"], ["LATENT"],
            values: "[1, \"fixed\", 20, 8, \"euler\"]")
        sketch.node(3, "PrimitiveNode", [], ["INT"], values: "[5, \"fixed\"]")
        sketch.node(4, "Reroute", [":*=4"], ["*"], mode: 4)
        sketch.node(
            5, SubgraphTests.id, ["clip:CLIP=5"], ["CONDITIONING"], values: "[\"outer {a|b} %K.seed%\", 9, \"fixed\"]")
        sketch.node(
            6, "workflow>G", ["model:MODEL=6"], ["LATENT", "IMAGE"], values: "[\"t\", 99, \"fixed\", \"heun\"]")
        sketch.node(7, "SetNode", ["VAE:VAE=7"], values: "[\"v\"]")
        sketch.node(8, "GetNode", [], ["VAE"], values: "[\"v\"]")
        sketch.node(9, "VAEDecode", ["vae:VAE=8", "samples:LATENT=9"], ["IMAGE"])
        sketch.node(
            10, "Anything Everywhere?", ["a:*=10"], values: "[\"(a|b)*\", \".*\", \".*\"]", members: ["pos": "[1, 2]"])
        sketch.node(11, "SaveImage", ["images:IMAGE=11"], values: "[\"%date:yyyy%_%K.seed%\"]")
        sketch.node(12, "Strange", ["x:INT*", "y:STRING*"], values: "[1, \"a\"]")
        sketch.node(13, "Seed (rgthree)", [], ["INT"], values: "[-1, null]")
        for (id, from, slot, to, input) in [
            (1, 1, 0, 2, 0), (2, 3, 0, 2, 1), (3, 4, 0, 2, 2), (4, 6, 0, 4, 0), (5, 1, 1, 5, 0), (6, 1, 0, 6, 0),
            (7, 1, 2, 7, 0),
            (8, 8, 0, 9, 0), (9, 2, 0, 9, 1), (10, 1, 1, 10, 0), (11, 9, 0, 11, 0),
        ] { sketch.link(id, from, slot, to, input) }
        sketch.members["groups"] = "[{\"title\": \"g\", \"bounding\": [0, 0, 9, 9]}]"
        sketch.members["definitions"] = "{\"subgraphs\": [\(SubgraphTests.encoder)]}"
        sketch.members["extra"] = "{\"groupNodes\": {\"G\": \(GroupNodeTests.definition)}}"
        return sketch.json
    }()

    /// Replaces random parts of a value by others.
    private static func mutated(_ json: JSON, _ random: inout SplitMix, rate: UInt64) -> JSON {
        if random.next() % rate == 0 {
            let replacements: [JSON] = [
                .null, .bool(true), .int(-1), .int(.max), .int(.min), .uint(.max), .double(.nan), .double(1e300),
                .string(""),
                .string("-10"), .string("-20"), .string("*"), .string("fixed"), .array([]), .object([:]), .int(4),
                .int(2), .int(5),
                .string("Reroute"), .string("GetNode"), .string(SubgraphTests.id), .string("workflow>G"),
                .array([.int(0), .string("x")]),
            ]
            return replacements[Int(random.next() % UInt64(replacements.count))]
        }
        switch json {
        case .array(var items):
            if random.next() % rate == 0, !items.isEmpty { items.remove(at: Int(random.next() % UInt64(items.count))) }
            if random.next() % rate == 0, let last = items.last { items.append(last) }
            return .array(items.map { mutated($0, &random, rate: rate) })
        case .object(let members):
            var result = JSONObject()
            for (key, value) in members where random.next() % rate != 0 {
                result[key] = mutated(value, &random, rate: rate)
            }
            return .object(result)
        default: return json
        }
    }

    @Test(.timeLimit(.minutes(10))) func mutationsNeverTrap() throws {
        // The file itself is in order.
        let whole = try WorkflowFile(Self.everything).conversion(schemas: { _ in nil })
        #expect(whole.prompt.nodes.count > 8)
        var converted = 0
        var refused = 0
        for seed in 0..<4000 {
            var random = SplitMix(seed: UInt64(seed), stream: "mutations")
            let json = Self.mutated(Self.everything, &random, rate: [20, 60, 200][seed % 3])
            do {
                let conversion = try WorkflowFile(json).conversion(schemas: { _ in nil })
                // What comes out can be written and read.
                #expect(try Prompt(JSON(parsing: conversion.prompt.metadataText)).ids == conversion.prompt.ids)
                for (_, node) in conversion.prompt.nodes {
                    for value in node.inputs.values {
                        if let link = value.link { #expect(conversion.prompt[link.node] != nil) }
                    }
                }
                converted += 1
            } catch is WorkflowError {
                refused += 1
            }
        }
        #expect(converted > 500 && refused > 200, "\(converted) converted, \(refused) refused")
    }

    @Test(.timeLimit(.minutes(10))) func mutatedPromptsNeverTrap() throws {
        let json = try WorkflowFile(Self.everything).conversion(schemas: { _ in nil }).prompt.json
        for seed in 0..<2000 {
            var random = SplitMix(seed: UInt64(seed), stream: "prompts")
            guard var prompt = try? Prompt(Self.mutated(json, &random, rate: 40)) else { continue }
            _ = prompt.setSeeds(5)
            _ = try? prompt.set("2.seed=1", schemas: { _ in nil })
        }
    }

    @Test(.timeLimit(.minutes(10))) func longChains() throws {
        var sketch = Sketch()
        let count = 20_000
        sketch.node(0, "VAELoader", [], ["VAE"], values: "[\"v\"]")
        for id in 1...count {
            sketch.node(id, "Reroute", [":*=\(id)"], ["*"], mode: id % 3 == 0 ? 4 : 0)
            sketch.link(id, id - 1, 0, id, 0)
            sketch.node(count + id, "VAEDecode", ["vae:VAE=\(count + id)"])
            sketch.link(count + id, id, 0, count + id, 0)
        }
        let prompt = try sketch.prompt()
        #expect(prompt.value("\(2 * count)", "vae") == "0[0]")
    }

    @Test(.timeLimit(.minutes(10))) func manyBroadcasts() throws {
        var sketch = Sketch()
        sketch.node(0, "VAELoader", [], ["VAE"], values: "[\"v\"]")
        for id in 1...3000 {
            sketch.node(id, "Anything Everywhere?", ["a:*=\(id)"], values: "[\"(.*)*x|\(id)\", \".*\", \".*\"]")
            sketch.link(id, 0, 0, id, 0, "VAE")
            sketch.node(
                10_000 + id, "VAEDecode", ["vae:VAE"], members: ["title": "\"\(String(repeating: "a", count: 500))\""])
        }
        #expect(try sketch.conversion().notes.contains { $0.message.contains("too many broadcasts") })
    }

    @Test func tooManyInputsAreAnError() {
        var sketch = Sketch()
        sketch.node(1, "A", Array(repeating: "x:INT", count: 1001))
        #expect(throws: WorkflowError.self) { try sketch.prompt() }
    }

    @Test func longNamesAreShortenedInMessages() {
        let name = String(repeating: "x", count: 1_000_000) + "\u{1B}[31m"
        do {
            _ = try Prompt(.object([name: .int(1)]))
            Issue.record("no error")
        } catch {
            #expect("\(error)".utf8.count < 300)
        }
        do {
            _ = try Prompt(.object(["\u{1B}[31m": .int(1)]))
            Issue.record("no error")
        } catch {
            #expect(!"\(error)".contains("\u{1B}"))
        }
    }
}
