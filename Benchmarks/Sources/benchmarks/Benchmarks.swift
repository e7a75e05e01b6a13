import CPUBackend

/// `benchmarks peak|operations|flux|all [--threads N] [--precision fp32|bf16] [--seconds S] [--clock wall|cpu] [--only TEXT]`
/// `benchmarks flux (--model FILE | --manifests DIR) [--size 512,1024] [--rounds N] …`
@main
struct Benchmarks {
    static func main() throws {
        let options = try Options(Array(CommandLine.arguments.dropFirst()))
        switch options.command {
        case "peak": try PeakBenchmark.run(options)
        case "operations", "all": try OperationBenchmark.run(options)
        case "flux": try FluxStepBenchmark.run(options)
        default: throw Options.Problem("unknown benchmark \(options.command): expected peak, operations, flux or all")
        }
    }
}
