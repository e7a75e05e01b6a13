import Checkpoints
import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Models

/// Parts of the UNet family that no whole workflow shows on its own.
struct UNetTests {
    /// FreeU's filter (goldens "tensor-ops", fourier).
    @Test(arguments: [("0.2", Float(0.2)), ("1.7", 1.7)]) func lowFrequencies(_ name: String, _ factor: Float) throws {
        let golden = try CheckpointFile(path: FluxTraceTests.file("tensor-ops.safetensors"))
        let x = try #require(try golden.tensor("fourier.x")).permuted([0, 2, 3, 1]).asFloat32()
        let expected = try #require(try golden.tensor("fourier.scale" + name))
        let scaled = try LowFrequencies.scaled(x, by: factor).permuted([0, 3, 1, 2]).asFloat32()
        #expect(try relativeError(scaled, expected) < 1e-6)
    }

    /// families-unet-sampling.md §1: the names of SD1.5, three levels down and two blocks each.
    @Test func diffusersNames() {
        let keys = UNetDiffusersKeys(levels: 4, residuals: 2) { $0 > 2 }
        let pairs = [
            "conv_in.weight": "input_blocks.0.0.weight",
            "down_blocks.0.resnets.1.conv1.weight": "input_blocks.2.0.in_layers.2.weight",
            "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight":
                "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight",
            "down_blocks.2.downsamplers.0.conv.bias": "input_blocks.9.0.op.bias",
            "mid_block.resnets.1.conv_shortcut.weight": "middle_block.2.skip_connection.weight",
            "up_blocks.0.upsamplers.0.conv.weight": "output_blocks.2.1.conv.weight",
            "up_blocks.1.upsamplers.0.conv.weight": "output_blocks.5.2.conv.weight",
            "up_blocks.3.attentions.2.proj_out.weight": "output_blocks.11.1.proj_out.weight",
            "add_embedding.linear_2.bias": "label_emb.0.2.bias",
            "controlnet_cond_embedding.blocks.5.weight": "input_hint_block.12.weight",
        ]
        for (diffusers, original) in pairs { #expect(keys.original(diffusers) == original) }
        #expect(keys.original("something.else") == nil)
    }

    @Test func batchesAreStretchedAndThinned() throws {
        let three = try Tensor([0, 1, 2], shape: [3, 1])
        #expect(try ConcatInput.spread(three, to: 6).floats() == [0, 0, 1, 1, 2, 2])
        #expect(try ConcatInput.spread(three, to: 2).floats() == [0, 2])
        #expect(try ConcatInput.spread(three, to: 1).floats() == [0])
    }

    @Test func originsOfLoRAs() throws {
        func family(_ keys: [String: [Int]]) throws -> String? {
            LoRAOrigin.family(
                of: NamedTensors(name: "x", tensors: try keys.mapValues { try Tensor.zeros(Shape($0)) }))
        }
        #expect(try family(["lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": [4, 8]]) == "FLUX")
        #expect(
            try family(["lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight": [4, 2048]])
                == "SDXL")
        #expect(
            try family(["unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight": [4, 768]])
                == "SD1.x")
        #expect(try family(["something": [1]]) == nil)
    }

    /// Pixels (row, column) of a 4 × 4 picture in 2 × 2 cells.
    @Test func unshuffledPixels() throws {
        let x = try Tensor((0..<16).map { Float($0) }, shape: [1, 4, 4, 1])
        let cells = try UNetAdapter.unshuffled(x, 2)
        #expect(cells.shape == [1, 2, 2, 4])
        #expect(try cells.floats().prefix(8) == [0, 1, 4, 5, 2, 3, 6, 7])
        let odd = try Tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], shape: [1, 3, 3, 1])
        #expect(try UNetAdapter.halved(odd).floats() == [3, 4.5, 7.5, 9])
    }

    /// A pass over a picture whose tiles are copied gives the picture back, whatever the overlap and odd sizes.
    @Test(arguments: [(16, 16, 4), (8, 32, 2), (64, 64, 4)]) func tilesJoin(_ width: Int, _ height: Int, _ overlap: Int)
        throws
    {
        let x = try Tensor((0..<37 * 29 * 2).map { Float($0) }, shape: [1, 37, 29, 2])
        let pass = TilePass(width: width, height: height, overlap: overlap, ramp: overlap, factor: 1, divisor: 1)
        #expect(try relativeError(pass(x) { $0 }, x) < 1e-6)
    }

    @Test func tilesThatOverlapWhollyAreRefused() throws {
        let x = try Tensor.zeros([1, 40, 40, 1])
        let pass = TilePass(width: 16, height: 16, overlap: 16, ramp: 16, factor: 1, divisor: 1)
        #expect(throws: TensorError.self) { try pass(x) { $0 } }
    }
}
