import Hashing
import JSON
import NodeKit
import Tensors
import Testing
import Workflow

@testable import Engine

@Suite struct SHA256Tests {
    /// Examples of FIPS 180-4, and lengths about the border of a block checked with another implementation.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 63), "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"
        ),
        (
            String(repeating: "a", count: 64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"
        ),
        (
            String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func knownDigests(_ text: String, _ expected: String) {
        #expect(SHA256.digest(text.utf8).description == expected)
        var parts = SHA256()
        for byte in text.utf8 { parts.update([byte]) }
        #expect(parts.finish().description == expected)
    }
}

@Suite struct CacheKeyTests {
    private func load(_ name: String) -> Prompt {
        Prompt([node("l", "Load", ["name": value(.string(name))]), node("s", "Show", ["value": link("l")])])
    }

    @Test func aReplacedFileRunsAgain() async {
        let harness = Harness()
        _ = await harness.run(load("a.safetensors"))
        #expect(await harness.run(load("a.safetensors")).result.executed.isEmpty)
        harness.files.versions.withLock { $0["/models/loras/a.safetensors"] = "second" }
        #expect(await harness.run(load("a.safetensors")).result.executed == ["l", "s"])
    }

    @Test func aFileNameWithBackslashesIsTheSameFile() async {
        let harness = Harness()
        _ = await harness.run(load("sub/b.safetensors"))
        #expect(await harness.run(load("sub\\b.safetensors")).result.executed.isEmpty)
    }

    @Test func aFileWhoseNameComesFromALinkIsKnownByItsContentToo() async {
        let prompt = Prompt([
            node("n", "Name", ["text": "a.safetensors"]), node("l", "Load", ["name": link("n")]),
            node("s", "Show", ["value": link("l")]),
        ])
        let harness = Harness()
        #expect(await harness.run(prompt).result.executed == ["n", "l", "s"])
        let again = await harness.run(prompt)
        #expect(again.result.executed.isEmpty)
        #expect(again.result.cached == ["n", "l", "s"])
        harness.files.versions.withLock { $0["/models/loras/a.safetensors"] = "second" }
        #expect(await harness.run(prompt).result.executed == ["l", "s"])
    }

    @Test func aNodeWhoseChangeTextFailsIsNeverKept() async {
        let prompt = Prompt([
            node("c", "Changing", ["text": "x", "broken": value(.bool(true))]), node("s", "Show", ["value": link("c")]),
        ])
        let harness = Harness()
        for _ in 0..<2 {
            let outcome = await harness.run(prompt)
            #expect(outcome.result.executed == ["c", "s"])
            #expect(outcome.log.lines.contains("warning c results are not kept: no fingerprint"))
        }
    }

    @Test func aChangeTextIsPartOfTheKey() async {
        func prompt(_ text: String) -> Prompt {
            Prompt([
                node("c", "Changing", ["text": value(.string(text)), "broken": value(.bool(false))]),
                node("s", "Show", ["value": link("c")]),
            ])
        }
        let harness = Harness()
        _ = await harness.run(prompt("x"))
        #expect(await harness.run(prompt("x")).result.executed.isEmpty)
        #expect(await harness.run(prompt("y")).result.executed == ["c", "s"])
    }

    @Test func aChangeTextThatNeedsALinkedValueKeepsNothing() async {
        let prompt = Prompt([
            node("n", "Name", ["text": "x"]),
            node("c", "Changing", ["text": link("n"), "broken": value(.bool(false))]),
            node("s", "Show", ["value": link("c")]),
        ])
        // "Name" gives a COMBO, which a STRING input does not take.
        #expect(await Harness().run(prompt).report.nodes.first?.faults.first?.kind == .typeMismatch)
        let linked = Prompt([
            node("o", "Own", ["value": 1]), node("c", "Changing", ["text": link("o"), "broken": value(.bool(false))]),
            node("s", "Show", ["value": link("c")]),
        ])
        let harness = Harness()
        _ = await harness.run(linked)
        let again = await harness.run(linked)
        #expect(again.result.executed == ["c", "s"])
        #expect(again.log.lines.contains { $0.hasPrefix("warning c") })
    }

    /// Texts that would run together without their lengths.
    @Test func fieldsAreKeptApart() async {
        func prompt(_ a: String, _ b: String) -> Prompt {
            Prompt([
                node("x", "Pair", ["a": value(.string(a)), "b": value(.string(b))]),
                node("s", "Show", ["value": link("x")]),
            ])
        }
        let pair = NodeDefinition(
            schema: NodeSchema(
                id: "Pair", displayName: "Pair", category: "test",
                inputs: [
                    InputSchema(name: "a", kind: .type("STRING")), InputSchema(name: "b", kind: .type("STRING")),
                ], outputs: [OutputSchema(name: "text", type: "STRING")])
        ) { inputs, _ in [["\(inputs["a"] ?? [])\(inputs["b"] ?? [])"]] }
        let harness = Harness(packs: [stubPack, NodePack("pair", definitions: [pair])])
        _ = await harness.run(prompt("x", "yz"))
        #expect(await harness.run(prompt("xy", "z")).result.executed == ["x", "s"])
        #expect(await harness.run(prompt("\",\"b\":\"", "")).result.executed == ["x", "s"])
    }

    @Test func twoOutputsOfOneNodeAreDifferentSources() async {
        let two = NodeDefinition(
            schema: NodeSchema(
                id: "Two", displayName: "Two", category: "test", inputs: [],
                outputs: [OutputSchema(name: "a", type: "INT"), OutputSchema(name: "b", type: "INT")])
        ) { _, _ in [[1], [2]] }
        let harness = Harness(packs: [stubPack, NodePack("two", definitions: [two])])
        let prompt = Prompt([
            node("t", "Two"), node("a", "Show", ["value": link("t", 0)]), node("b", "Show", ["value": link("t", 1)]),
        ])
        let outcome = await harness.run(prompt)
        #expect(outcome.result.outputs["a"] == .object(["text": .array([1])]))
        #expect(outcome.result.outputs["b"] == .object(["text": .array([2])]))
    }

    @Test func thePrecisionIsPartOfTheKey() async throws {
        let cache = ResultCache(byteLimit: 1 << 20)
        let prompt = Prompt([node("n", "Number", ["value": 1]), node("s", "Show", ["value": link("n")])])
        for (type, runs) in [(DType.float32, 2), (.bfloat16, 2), (.float32, 0)] {
            let engine = GraphEngine(
                registry: NodeRegistry([stubPack]), backend: StubBackend(computeType: type), files: StubFiles(),
                cache: cache)
            let validated = try #require(await engine.validate(prompt).validated)
            #expect(await engine.run(validated).executed.count == runs)
        }
    }
}
