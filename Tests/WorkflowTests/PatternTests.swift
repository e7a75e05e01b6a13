import Testing

@testable import Workflow

@Suite struct PatternTests {
    @Test(arguments: [
        ("abc", "xabcx", true), ("abc", "ab", false), ("^abc$", "abc", true), ("^abc$", "abcd", false),
        ("a.c", "a\nc", false),
        ("a|b|", "zzz", true), ("sampler|Sampler", "my Sampler", true),
        ("(_|\\b)pos(itive|_|\\b)|^prompt", "positive", true),
        ("(_|\\b)pos(itive|_|\\b)|^prompt", "cond_pos", true), ("(_|\\b)pos(itive|_|\\b)|^prompt", "compose", false),
        ("(_|\\b)pos(itive|_|\\b)|^prompt", "prompt_2", true), ("a{2,3}b", "aab", true), ("^a{2,3}b", "aaaab", false),
        ("a{2}", "a", false), ("a{,2}", "a{,2}", true), ("[^a-c]x", "dx", true), ("[^a-c]x", "bx", false),
        ("[\\d_-]+$", "a1_-", true),
        ("\\w+\\s\\S", "ab c", true), ("\\D", "12", false), ("(?:ab)+?c", "ababc", true), ("\\.", "a", false),
        (",*", "x", true),
        ("é", "née", true), ("\\Bb", "ab", true), ("\\bb", "ab", false), ("[]", "a", false), ("", "x", true),
    ])
    func finds(pattern: String, text: String, expected: Bool) throws {
        #expect(try #require(TextPattern(pattern)).isFound(in: text) == expected)
    }

    @Test(arguments: [
        "(", ")", "a)", "[a", "*a", "a**", "(?=a)", "(?!a)", "(?<n>a)", "\\1", "\\", "[b-a]", "a{1,1000}", "\\p{L}",
        "(?",
    ])
    func refuses(pattern: String) { #expect(TextPattern(pattern) == nil) }

    /// Patterns that make backtracking matchers run for ever.
    @Test(.timeLimit(.minutes(10))) func hostilePatternsEnd() {
        let text = String(repeating: "a", count: 5000)
        #expect(TextPattern("(a*)*$")?.isFound(in: text + "!") == true)
        #expect(TextPattern("(a+)+b$")?.isFound(in: text) == false)
        #expect(TextPattern("(a|aa)+b$")?.isFound(in: text) == false)
        #expect(TextPattern("((a{100}){100}){100}") == nil)
        #expect(TextPattern("(((){100}){100}){100}") == nil)
        #expect(TextPattern(String(repeating: "(", count: 100_000)) == nil)
    }
}
