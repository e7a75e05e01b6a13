import JSON
import NodeKit
import Testing

struct TextNodeTests {
    private let context: NodeContext
    private let installation: TestInstallation
    init() throws {
        installation = try TestInstallation()
        context = installation.context()
    }

    private func function(
        _ action: String, _ a: String, _ b: String = "", _ c: String = "", tidy: Bool = false
    ) async throws -> String {
        try await call(
            "StringFunction|pysssss",
            ["action": action, "tidy_tags": tidy ? "yes" : "no", "text_a": a, "text_b": b, "text_c": c], context)
    }

    @Test func append() async throws {
        #expect(try await function("append", "a", "", "c") == "ac")
        #expect(try await function("append", "a", "", "c", tidy: true) == "a, c")
        #expect(try await function("append", " a ,,  b\t\n c ,", "", "", tidy: true) == "a, b c,")
        #expect(installation.shown.last == ["text": .array([.string("a, b c,")])])
    }

    @Test func textsAreOptional() async throws {
        let only: String = try await call(
            "StringFunction|pysssss", ["action": "append", "tidy_tags": "no", "text_b": "b"], context)
        #expect(only == "b")
    }

    @Test(arguments: [
        ("a cat, a dog", "a ", "the ", "the cat, the dog"),
        ("abc", "", "-", "-a-b-c-"),
        ("a.c", ".", "", "ac"),
        // By code points, as Python: a letter is found under its accent.
        ("e\u{301}", "e", "a", "a\u{301}"),
    ]) func replaceLiteral(text: String, old: String, new: String, expected: String) async throws {
        #expect(try await function("replace", text, old, new) == expected)
    }

    /// Expected texts are what Python's `re.sub` gives.
    @Test(arguments: [
        ("a1b22", #"/\d+/"#, "#", "a#b#"),
        ("john smith", #"/(\w+) (\w+)/"#, #"\2 \1"#, "smith john"),
        ("x=1", #"/(?P<k>\w)=(?P<v>\d)/"#, #"\g<v>=\g<k>\g<0>"#, "1=xx=1"),
        ("abc", "/", "-", "-a-b-c-"),
        ("abxd", "/x*/", "-", "-a-b--d-"),
        ("a\n", "/a$/", "b", "b\n"),
        ("a\n", #"/a\Z/"#, "b", "a\n"),
        ("a\rb", "/a.b/", "x", "x"),
        ("a\nb", "/(?s)a.b/", "x", "x"),
        ("a\nb", "/(?m)a$/", "x", "x\nb"),
        ("Cat cat", "/(?i)cat/", "dog", "dog dog"),
        ("[x]", "/[][]/", "", "x"),
        ("a&&b-c", "/[&&]/", "+", "a++b-c"),
        ("<lora:a:1> cat", "/<lora:[^>]*>/", "", " cat"),
        ("ab", "/(a)|(b)/", #"[\1\2]"#, "[a][b]"),
        ("a", "/a/", #"\n\t\\\."#, "\n\t\\\\."),
        ("a", "/a/", #"\101\0"#, "A\0"),
        ("\r\n", "/\n/", "x", "\rx"),
        ("foo food", #"/\bfoo\b/"#, "x", "x food"),
    ]) func replacePattern(text: String, pattern: String, new: String, expected: String) async throws {
        let result = try await function("replace", text, pattern, new)
        #expect(result.unicodeScalars.elementsEqual(expected.unicodeScalars), "\(result.debugDescription)")
    }

    @Test(arguments: [
        ("/(a/", "", "(a"), ("/*/", "", "*"), ("/a/", #"\1"#, "group 1"), ("/a/", #"\g<n>"#, "\"n\""),
        ("/a/", #"\q"#, #"\q"#), ("/a/", "x\\", "backslash"),
        ("/a/", #"\g1"#, "<group>"),
    ]) func badPatterns(pattern: String, new: String, mentions: String) async throws {
        let message = await failure { _ = try await function("replace", "abc", pattern, new) }
        #expect(message.contains(mentions), "\(message)")
    }

    @Test func showTextPassesListsOn() async throws {
        let results = try await definition("ShowText|pysssss").run(["text": ["a", "b"]], context)
        #expect(results[0].compactMap { $0 as? String } == ["a", "b"])
        #expect(installation.shown == [["text": .array([.string("a"), .string("b")])]])
        #expect(try definition("ShowText|pysssss").schema.takesLists)
    }

    @Test func jpsTextConcatenate() async throws {
        let id = "Text Concatenate (JPS)"
        let texts: [String: any NodeValue] = ["text1": "a", "text3": "", "text5": "b"]
        for (delimiter, expected) in [("none", "ab"), ("space", "a b"), ("comma", "a, b")] {
            let text: String = try await call(id, texts.merging(["delimiter": delimiter]) { $1 }, context)
            #expect(text == expected)
        }
        #expect(try await call(id, ["delimiter": "comma"], context, as: String.self) == "")
        #expect(await failure { _ = try await call(id, ["delimiter": "dot"], context) }.contains("comma"))
    }

    @Test func stringConcatenate() async throws {
        let text: String = try await call(
            "StringConcatenate", ["string_a": "a", "string_b": "b", "delimiter": "-"], context)
        #expect(text == "a-b")
    }

    @Test func primitives() async throws {
        #expect(try await call("PrimitiveInt", ["value": 5], context, as: Int.self) == 5)
        #expect(try await call("PrimitiveFloat", ["value": 2.5], context, as: Double.self) == 2.5)
        #expect(try await call("PrimitiveString", ["value": "x"], context, as: String.self) == "x")
        #expect(try await call("PrimitiveStringMultiline", ["value": "x\ny"], context, as: String.self) == "x\ny")
        #expect(try await call("PrimitiveBoolean", ["value": true], context, as: Bool.self))
    }

    @Test func seedIsFreshOnlyWhenAskedFor() async throws {
        let seed = try definition("Seed (rgthree)")
        #expect(try await call("Seed (rgthree)", ["seed": 42], context, as: Int.self) == 42)
        #expect(try seed.fingerprint(["seed": [42]], context) == nil)
        #expect(installation.shown.isEmpty)
        for request in [-1, -2, -3] {
            let a = try await call("Seed (rgthree)", ["seed": request], context, as: Int.self)
            let b = try await call("Seed (rgthree)", ["seed": request], context, as: Int.self)
            #expect(a != b && a > 0 && a <= 1 << 50)
            #expect(
                try seed.fingerprint(["seed": [request]], context) != seed.fingerprint(["seed": [request]], context))
            #expect(installation.shown.last == ["text": .array([.string("seed \(b)")])])
        }
        // A linked seed is not known before the run and must not spoil the cache.
        #expect(try seed.fingerprint([:], linked: ["seed"], context) == nil)
    }
}
