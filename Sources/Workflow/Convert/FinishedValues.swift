import JSON

/// What front ends do to a value when they queue a prompt (ui-format.md §3 "Values", §11).
extension Converter {
    func finished(_ value: JSON, of input: String, _ node: GraphNode, _ shape: NodeShape?, _ scope: Scope) -> JSON {
        if PackRules.isDrawnSeed(value, of: node, input: input) {
            var random = random(for: input, node, scope)
            let seed = Int64(random.next() >> 14)  // below 2^50, the pack's own range
            note(
                .seed, node, scope,
                "the seed is drawn anew for every prompt: \(seed), from prompt seed \(options.promptSeed)")
            return .int(seed)
        }
        guard case .string(let text) = value else { return value }
        if input == "filename_prefix" { return .string(replacingPlaceholders(in: text, scope)) }
        if input == "sampler_name", node.type == "KSampler" || node.type == "KSamplerAdvanced" {
            return .string(PackRules.samplerName(text))
        }
        guard shape?.port(input)?.isDynamicPrompt == true else { return value }
        var prompt = DynamicPrompt(random: random(for: input, node, scope))
        let result = prompt.expand(text)
        if !prompt.choices.isEmpty {
            let shown = prompt.choices.map { "\"\($0.shortened)\"" }.joined(separator: ", ")
            note(.dynamicPrompt, node, scope, "\"\(input)\": chose \(shown) by prompt seed \(options.promptSeed)")
        }
        return .string(result)
    }

    /// A generator of its own for each input, so that a change of one text leaves the choices in others alone.
    private func random(for input: String, _ node: GraphNode, _ scope: Scope) -> SplitMix {
        SplitMix(seed: options.promptSeed, stream: scope.promptID(node) + "." + input)
    }
}

/// The SplitMix64 generator (Steele, Lea and Flood, 2014).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameter stream: a name; streams of one seed are independent (FNV-1a keeps them apart).
    init(seed: UInt64, stream: String) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in stream.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        state = seed ^ hash
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
