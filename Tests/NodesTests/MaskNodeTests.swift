import NodeKit
import Tensors
import Testing

struct MaskNodeTests {
    private let context: NodeContext
    private let installation: TestInstallation
    init() throws {
        installation = try TestInstallation()
        context = installation.context()
    }

    /// A mask of zeros with a 1 in the middle.
    private func dot(_ side: Int) throws -> Mask {
        var values = [Float](repeating: 0, count: side * side)
        values[side * side / 2] = 1
        return Mask(try Tensor(values, shape: [1, side, side]))
    }

    /// The settings of the published alimama workflow: grow by 2 with a square, then blur.
    @Test func growMaskWithBlur() async throws {
        let inputs: [String: any NodeValue] = [
            "mask": try dot(9), "expand": 2, "incremental_expandrate": 0.0, "tapered_corners": false,
            "flip_input": false, "blur_radius": 0.0, "lerp_alpha": 1.0, "decay_factor": 1.0, "fill_holes": false,
        ]
        let square = try await call("GrowMaskWithBlur", inputs, context, as: Mask.self).tensor.floats()
        #expect(square.reduce(0, +) == 25)
        #expect(square[4 * 9 + 2] == 1 && square[2 * 9 + 2] == 1)

        let results = try await call("GrowMaskWithBlur", inputs.merging(["blur_radius": 2.0]) { $1 }, context)
        let blurred = try #require(results[0].first as? Mask).tensor.floats()
        let inverted = try #require(results[1].first as? Mask).tensor.floats()
        #expect(blurred[40] < 1 && blurred[40] > 0.5)
        #expect(zip(blurred, inverted).allSatisfy { $1 == 1 - $0 })
        // Blurred values have gone through bytes.
        #expect(blurred.allSatisfy { ($0 * 255).rounded() / 255 == $0 })

        let plus = try await call(
            "GrowMaskWithBlur", inputs.merging(["tapered_corners": true]) { $1 }, context, as: Mask.self)
        #expect(try plus.tensor.floats().reduce(0, +) == 13)
    }

    /// Numbers from links are not validated before a node runs.
    @Test func extremeNumbersAreErrorsOrHarmless() async throws {
        let image = Image(try Tensor.zeros([1, 4, 4, 3]))
        for value in [Int.min, -1, Int.max] {
            let messages = [
                await failure {
                    _ = try await call(
                        "ImageScale",
                        ["image": image, "upscale_method": "area", "width": value, "height": 4, "crop": "center"],
                        context)
                },
                await failure {
                    _ = try await call(
                        "EmptyLatentImage", ["width": value, "height": 64, "batch_size": 1], context)
                },
                await failure {
                    _ = try await call(
                        "EmptySD3LatentImage", ["width": 64, "height": 64, "batch_size": value], context)
                },
                await failure {
                    _ = try await call(
                        "ImagePadForOutpaint",
                        ["image": image, "left": value, "top": 0, "right": 0, "bottom": 0, "feathering": 0], context)
                },
            ]
            #expect(messages.allSatisfy { !$0.isEmpty }, "\(value): \(messages)")
            _ = await failure {
                _ = try await call(
                    "MaskComposite",
                    ["destination": try dot(3), "source": try dot(3), "x": value, "y": 0, "operation": "or"], context)
            }
            _ = await failure {
                _ = try await call(
                    "ImageCompositeMasked",
                    ["destination": image, "source": image, "x": value, "y": value, "resize_source": false], context)
            }
            _ = await failure {
                _ = try await call("GrowMask", ["mask": try dot(3), "expand": value, "tapered_corners": true], context)
            }
        }
    }
}
