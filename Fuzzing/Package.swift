// swift-tools-version: 6.2
// Fuzzing of the path from a workflow file to the answer about it, with libFuzzer. Apart from the package, because
// everything has to be compiled with its instrumentation: see README.md.
import PackageDescription

let package = Package(
    name: "Fuzzing",
    dependencies: [.package(name: "graphrun", path: "..")],
    targets: [
        .target(name: "CFuzzer"),
        .executableTarget(
            name: "fuzz", dependencies: ["CFuzzer", .product(name: "FuzzTarget", package: "graphrun")],
            // The gold linker of Debian 12 stops with an internal error here.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
    ]
)
