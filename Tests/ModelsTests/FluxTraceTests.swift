import CPUBackend
import Checkpoints
import Diffusion
import Foundation
import ModelMaker
import Tensors
import TestSupport
import Testing

@testable import Models

/// The first network call of the golden `t2i-turbo`, in both backends.
@Suite struct FluxTraceTests {
    static func file(_ name: String) -> String {
        Bundle.module.bundleURL.appendingPathComponent("Files/\(name)").path
    }

    /// A miniature made from a manifest among the test's files.
    static func model(_ name: String) throws -> String {
        let target = FileManager.default.temporaryDirectory.appendingPathComponent(
            "graphrun-models-tests/\(name).safetensors")
        if !FileManager.default.fileExists(atPath: target.path) {
            try ManifestFolder.read(file(name + ".ckpt.json")).write(to: target.path)
        }
        return target.path
    }

    struct Call {
        let network: any DiffusionNetwork
        let call: NetworkCall
        let trace: CheckpointFile

        init(lora: Bool = true) throws {
            let trace = try CheckpointFile(path: FluxTraceTests.file("t2i-turbo.trace.safetensors"))
            var network = try ModelLoader.network(
                path: FluxTraceTests.model("flux-mini"), weightType: nil, warn: { Issue.record("\($0)") })
            if lora {
                let file = try ModelLoader.lora(path: FluxTraceTests.model("turbo-mini"))
                let patched = try network.adding(lora: file, strength: 1)
                #expect(patched.report.used.count == file.tensors.count)
                network = patched.network
            }
            let conditioning = try CheckpointFile(path: FluxTraceTests.file("conditioning.safetensors"))
            var entry = ConditioningEntry(context: try #require(try conditioning.tensor("context")))
            entry[PooledOutput.self] = try conditioning.tensor("pooled")
            entry[Guidance.self] = 3.5
            let x = try #require(try trace.tensor("in.x"))
            let sigma = try #require(try trace.tensor("in.sigma")).floats()[0]
            let geometry = RunGeometry(latentShape: x.shape, latent: x, noiseMask: nil, sampling: network.sampling)
            self.network = network
            self.trace = trace
            call = NetworkCall(
                x: x, sigma: sigma, time: network.sampling.networkTime(sigma), entry: entry, geometry: geometry)
        }

        func error(on backend: any Backend) throws -> Double {
            let velocity = try network(call, on: backend)
            let denoised = try network.sampling.denoised(call.x, output: velocity, sigma: call.sigma)
            return try relativeError(denoised, #require(try trace.tensor("out.denoised")))
        }
    }

    @Test func equalsTheReferenceOnTheCPU() throws {
        #expect(try Call().error(on: CPUBackend(precision: .float32, threads: 2)) < 1e-5)
        #expect(try Call().error(on: CPUBackend(precision: .bfloat16, threads: 2)) < 1e-2)
    }

    /// The same through the plain Swift backend: nothing in the model names a backend.
    @Test func equalsTheReferenceInPlainSwift() throws {
        #expect(try Call().error(on: ReferenceBackend()) < 1e-5)
    }

    /// The LoRA matters: without it the result is another one.
    @Test func differsWithoutTheLoRA() throws {
        #expect(try Call(lora: false).error(on: CPUBackend(precision: .float32, threads: 2)) > 0.01)
    }

    @Test func badFilesAreNamed() throws {
        func message(_ body: () throws -> Void) -> String {
            do {
                try body()
                return ""
            } catch { return "\(error)" }
        }
        let lora = message {
            _ = try ModelLoader.network(path: Self.model("turbo-mini"), weightType: nil, warn: { _ in })
        }
        #expect(lora.contains("LoRA") && lora.contains("FLUX"))
        let vae = message { _ = try ModelLoader.autoencoder(path: Self.model("flux-mini"), warn: { _ in }) }
        #expect(vae.contains("decoder.conv_in.weight"))
        let control = message { _ = try ModelLoader.controlNetwork(path: Self.model("flux-mini"), warn: { _ in }) }
        #expect(control.contains("ControlNet"))
    }

    @Test func inspectionNamesTheFamily() throws {
        let network = try ModelInspection(path: Self.model("flux-mini"))
        #expect(network.parts.map(\.description) == ["FLUX.1 dev"])
        #expect(network.parameters == network.parts[0].parameters)
        #expect(try ModelInspection(path: Self.model("turbo-mini")).parts.map(\.kind) == ["LoRA"])
    }
}
