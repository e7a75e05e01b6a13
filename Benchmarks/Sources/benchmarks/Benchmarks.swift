import CPUBackend

/// `benchmarks peak|operations|blocks|all [--threads N] [--precision fp32|bf16] [--seconds S] [--clock wall|cpu]
/// [--only TEXT]`
///
/// `benchmarks flux (--model FILE | --manifests DIR) [--size 512,1024] [--batch N] [--rounds N] …`
///
/// `benchmarks sdxl [--model FILE] [--size 512,1024] …`
@main
struct Benchmarks {
    static func main() throws {
        let options = try Options(Array(CommandLine.arguments.dropFirst()))
        switch options.command {
        case "peak": try PeakBenchmark.run(options)
        case "operations": try OperationBenchmark.run(options)
        case "blocks": try BlockBenchmark.run(options)
        case "flux": try StepBenchmark.flux(options)
        case "sdxl": try StepBenchmark.sdxl(options)
        case "all":
            try PeakBenchmark.run(options)
            try OperationBenchmark.run(options)
            try BlockBenchmark.run(options)
        default:
            throw Options.Problem(
                "unknown benchmark \(options.command): expected peak, operations, blocks, flux, sdxl or all")
        }
    }
}
