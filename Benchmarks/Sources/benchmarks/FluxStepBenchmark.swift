import CPUBackend
import Diffusion
import Foundation
import ModelMaker
import Models
import Sampling
import Tensors

/// One denoise step of FLUX at real widths with few blocks, as a fraction of the matrix product peak measured in the
/// same run: rounds of peak and step alternate, since such machines change their speed, and the medians are compared.
enum FluxStepBenchmark {
    static func run(_ options: Options) throws {
        let path = try model(options)
        for size in options.sizes {
            for precision in options.precisions { try measure(path, size, precision, options) }
        }
    }

    /// `--model`, else the miniature-depth model made from its manifest.
    private static func model(_ options: Options) throws -> String {
        if let model = options.model { return model }
        guard let manifests = options.manifests else {
            throw Options.Problem(
                "flux: give --model FILE.safetensors, or --manifests DIR with models/unet/flux-wide.ckpt.json")
        }
        let folder = ".build/models"
        print("making unet/flux-wide (2.6 GB) in \(folder)")
        try ManifestFolder(manifests).write(to: folder, only: "unet/flux-wide.")
        return folder + "/models/unet/flux-wide.safetensors"
    }

    private static func measure(_ path: String, _ size: Int, _ precision: DType, _ options: Options) throws {
        let backend = CPUBackend(precision: precision, threads: options.threads)
        let network = try ModelLoader.network(path: path, weightType: nil, warn: { print($0) })
        guard let work = network as? FluxNetwork else { throw Options.Problem("\(path) is not FLUX") }
        var generator = TorchGenerator(seed: 1)
        let x = try generator.normal([1, 16, size / 8, size / 8])
        var entry = ConditioningEntry(context: try generator.normal([1, 256, work.contextWidth]))
        entry[PooledOutput.self] = try generator.normal([1, work.pooledWidth])
        entry[Guidance.self] = 3.5
        let call = NetworkCall(
            x: x, sigma: 0.9, time: 0.9, entry: entry,
            geometry: RunGeometry(latentShape: x.shape, latent: x, noiseMask: nil, sampling: network.sampling))
        let operations = work.operations(imageTokens: size * size / 256, textTokens: 256)

        var peaks: [Double] = []
        var times: [Double] = []
        _ = try network(call, on: backend)
        let live = residentAnonymous()
        for _ in 0..<options.rounds {
            peaks.append(
                try CPUBackend.measureGEMMPeak(
                    precision: precision, threads: options.threads, seconds: options.seconds, clock: options.clock))
            let start = options.clock.seconds
            _ = try network(call, on: backend)
            let time = options.clock.seconds - start
            times.append(options.clock == .processor ? time / Double(options.threads) : time)
        }
        let (time, peak) = (median(times), median(peaks))
        let rate = operations / time * 1e-9
        print(
            "flux step \(size)x\(size) \(precision.rawValue): \(column(time, 2)) s/step, \(column(rate)) GFLOP/s, peak "
                + "\(column(peak)) GFLOP/s, \(column(100 * rate / peak)) % of peak; anonymous memory \(live >> 20) MiB, "
                + "tensors at most \(HostMemory.statistics.peak >> 20) MiB")
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// Anonymous memory of the process, mapped files not counted.
    private static func residentAnonymous() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? 0) << 10
    }
}
