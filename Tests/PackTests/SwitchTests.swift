import JSON
import NodeKit
import Tensors
import Testing

struct SwitchTests {
    /// Lazy nodes ask for the chosen side alone, and give it.
    @Test(
        arguments: [
            ("Switch any [Crystools]", "boolean", true, "on_true", "on_false"),
            ("Switch any [Crystools]", "boolean", false, "on_false", "on_true"),
            ("VixCheckboxLogic", "state", true, "input_on_state", "input_off_state"),
            ("VixUiCheckboxLogic", "state", false, "input_off_state", "input_on_state"),
            ("easy anythingIndexSwitch", "index", 3, "value3", "value0"),
            ("ImpactSwitch", "select", 2, "input2", "input1"),
        ] as [(String, String, any NodeValue, String, String)])
    func lazySwitches(id: String, port: String, choice: any NodeValue, wanted: String, other: String) async throws {
        let definition = try definition(id)
        let context = try Installation().context()
        var values: [String: [any NodeValue]] = [port: [choice]]
        if id == "ImpactSwitch" { values["sel_mode"] = [false] }
        #expect(try await definition.lazyCheck?(values, context) == [wanted])
        values[wanted] = [42]
        #expect(try await definition.run(values, context)[0].first as? Int == 42)
        values[wanted] = nil
        values[other] = [1]
        do {
            _ = try await definition.run(values, context)
            Issue.record("\(id) gave the side that was not chosen")
        } catch {
            #expect("\(error)".contains("\"\(wanted)\""))
        }
        #expect(definition.schema.input(named: wanted)?.isLazy == true)
    }

    @Test func typedSwitches() async throws {
        let (black, white) = (Image(try .zeros([1, 2, 2, 3])), Image(try .full([1, 2, 2, 3], 1)))
        let picked: Image = try await result(
            "Switch image [Crystools]", ["on_true": black, "on_false": white, "boolean": false])
        #expect(try picked.tensor.floats().allSatisfy { $0 == 1 })
        let mask: Mask = try await result("Switch mask [Crystools]", ["on_true": Mask(try .zeros([1, 2, 2]))])
        #expect(mask.tensor.shape == [1, 2, 2])
        let second: Image = try await result("CR Image Input Switch", ["Input": 2, "image1": black, "image2": white])
        #expect(try second.tensor.floats()[0] == 1)
        #expect(
            try await result("CR Text Input Switch", ["Input": 1, "text1": "a", "text2": "b"], as: String.self) == "a")
        #expect(await failure("CR Text Input Switch", ["Input": 2, "text1": "a"]).contains("text2"))
    }

    @Test func impactSwitchNamesItsChoice() async throws {
        let workflow: JSON = [
            "nodes": .array([["id": 7, "inputs": .array([["name": "input2", "label": "the cat"]])]])
        ]
        let context = try Installation().context(extraPNGInfo: ["workflow": workflow])
        let results = try await call("ImpactSwitch", ["select": 2, "input2": "x"], context)
        #expect(results[1].first as? String == "the cat" && results[2].first as? Int == 2)
        // Beyond the declared inputs.
        let far = try await call("ImpactSwitch", ["select": 33, "input33": "y"])
        #expect(far[0].first as? String == "y")
        #expect(await failure("ImpactSwitch", ["select": Int.min]).contains("nothing is connected"))
    }

    @Test func anySwitch() async throws {
        let prompt: JSON = ["7": ["inputs": ["any_03": .array(["1", 0]), "any_01": .array(["2", 0])]]]
        let context = try Installation().context(prompt: prompt)
        #expect(try await result("Any Switch (rgthree)", ["any_01": 1, "any_03": 3], context, as: Int.self) == 3)
        #expect(try await result("Any Switch (rgthree)", ["any_01": 1, "any_03": 3], as: Int.self) == 1)
        #expect(try await result("Any Switch (rgthree)", ["any_01": NoValue(), "any_12": 12], as: Int.self) == 12)
        #expect(await failure("Any Switch (rgthree)", ["any_02": NoValue()]).contains("none of the inputs"))
        let made = try await call("Context (rgthree)")
        let empty = try #require(made[0].first)
        #expect(try await result("Any Switch (rgthree)", ["any_01": empty, "any_02": "b"], as: String.self) == "b")
    }

    @Test func contexts() async throws {
        let first = try await call("Context (rgthree)", ["seed": 5, "images": try Image(.zeros([1, 2, 2, 3]))])
        #expect(first.count == 9 && first[8].first as? Int == 5 && first[1].first is NoValue)
        let big = try await call(
            "Context Big (rgthree)",
            ["base_ctx": try #require(first[0].first), "seed": 6, "steps": 20, "sampler": "euler"])
        #expect(big.count == 23 && big[8].first as? Int == 6 && big[9].first as? Int == 20)
        #expect((big[7].first as? Image)?.height == 2)
        let made = try await call("Context (rgthree)")
        let empty = try #require(made[0].first)
        let inputs: [String: any NodeValue] = [
            "ctx_01": empty, "ctx_02": try #require(first[0].first), "ctx_07": try #require(big[0].first),
        ]
        #expect(try await call("Context Switch (rgthree)", inputs)[8].first as? Int == 5)
        let merged = try await call("Context Merge Big (rgthree)", inputs)
        #expect(merged[8].first as? Int == 6 && merged[13].first as? String == "euler")
        // A value that a context lacks is "not connected" at optional inputs, and an error at others.
        #expect(try await result("easy prompt", ["text": "x", "prompt": NoValue()], as: String.self) == "x")
        #expect(await failure("easy imageSize", ["image": NoValue()]).contains("none to give"))
    }

    @Test func everyContextNodeHasThePortsOfTheSpec() throws {
        let small = ["base_ctx", "model", "clip", "vae", "positive", "negative", "latent", "images", "seed"]
        let more = [
            "steps", "step_refiner", "cfg", "ckpt_name", "sampler", "scheduler", "clip_width", "clip_height",
            "text_pos_g",
            "text_pos_l", "text_neg_g", "text_neg_l", "mask", "control_net",
        ]
        #expect(try definition("Context (rgthree)").schema.inputs.map(\.name) == small)
        #expect(try definition("Context Big (rgthree)").schema.inputs.map(\.name) == small + more)
        #expect(
            try definition("Context (rgthree)").schema.outputs.map(\.name)
                == ["CONTEXT", "MODEL", "CLIP", "VAE", "POSITIVE", "NEGATIVE", "LATENT", "IMAGE", "SEED"])
    }
}
