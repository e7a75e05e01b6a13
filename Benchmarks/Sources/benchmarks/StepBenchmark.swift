import CPUBackend
import Diffusion
import Foundation
import ModelMaker
import Models
import Planning
import Sampling
import Tensors

/// One evaluation of a network at real widths, as a fraction of the matrix product peak measured in the same run:
/// rounds of peak and step alternate, since such machines change their speed, and the medians are compared.
enum StepBenchmark {
    /// FLUX with few blocks, from its manifest in `../shared/bench`.
    static func flux(_ options: Options) throws {
        if let model = options.model { return try run(model, options) }
        guard let manifests = options.manifests else {
            throw Options.Problem(
                "flux: give --model FILE.safetensors, or --manifests DIR with models/unet/flux-wide.ckpt.json")
        }
        let folder = ".build/models"
        print("making unet/flux-wide (2.6 GB) in \(folder)")
        try ManifestFolder(manifests).write(to: folder, only: "unet/flux-wide.")
        try run(folder + "/models/unet/flux-wide.safetensors", options)
    }

    /// SDXL base, all of it.
    static func sdxl(_ options: Options) throws {
        if let model = options.model { return try run(model, options) }
        let path = ".build/models/unet/sdxl.safetensors"
        if !FileManager.default.fileExists(atPath: path) {
            print("making \(path) (5.1 GB)")
            try Manifest(parsing: WideManifests.sdxlUNet()).write(to: path)
        }
        try run(path, options)
    }

    private static func run(_ path: String, _ options: Options) throws {
        for size in options.sizes {
            for precision in options.precisions { try measure(path, size, precision, options) }
        }
    }

    /// What a prompt gives the network: text features and a pooled vector of random numbers.
    private static func call(_ network: any DiffusionNetwork, size: Int, batch: Int) throws -> NetworkCall {
        var generator = TorchGenerator(seed: 1)
        let x = try generator.normal([batch, network.latentFormat.channels, size / 8, size / 8])
        var entry: ConditioningEntry
        switch network {
        case let flux as FluxNetwork:
            entry = ConditioningEntry(context: try generator.normal([1, 256, flux.contextWidth]))
            entry[PooledOutput.self] = try generator.normal([1, flux.pooledWidth])
            entry[Guidance.self] = 3.5
        case let unet as UNetNetwork:
            let shape = unet.configuration.encoder
            entry = ConditioningEntry(context: try generator.normal([1, 77, shape.contextWidth ?? 0]))
            if shape.labelWidth != nil { entry[PooledOutput.self] = try generator.normal([1, 1280]) }
        default: throw Options.Problem("\(network.family) has no benchmark: expected FLUX, SD1.5 or SDXL")
        }
        return NetworkCall(
            x: x, sigma: 0.9, time: network is UNetNetwork ? 400 : 0.9, entry: entry,
            geometry: RunGeometry(latentShape: x.shape, latent: x, noiseMask: nil, sampling: network.sampling))
    }

    private static func measure(_ path: String, _ size: Int, _ precision: DType, _ options: Options) throws {
        let backend = CPUBackend(precision: precision, threads: options.threads)
        let network = try ModelLoader.network(path: path, weightType: nil, warn: { print($0) })
        let call = try call(network, size: size, batch: options.batch)
        let counter = CountingBackend(precision: precision)
        _ = try network(call, on: counter)
        let operations = counter.work.operations

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
            "\(network.family) step \(size)x\(size) \(precision.rawValue): \(column(operations * 1e-12, 2)) TFLOP, "
                + "\(column(time, 2)) s/step, \(column(rate)) GFLOP/s, peak "
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
