import CPUBackend
import Tensors

/// The fastest matrix product of the machine: what everything else is a fraction of.
enum PeakBenchmark {
    static func run(_ options: Options) throws {
        for precision in options.precisions {
            for threads in Set([1, options.threads]).sorted() {
                let rate = try CPUBackend.measureGEMMPeak(
                    precision: precision, threads: threads, seconds: options.seconds, clock: options.clock)
                print("\(precision.rawValue) product, \(threads) threads: \(column(rate)) GFLOP/s")
            }
        }
    }
}
