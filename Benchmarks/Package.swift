// swift-tools-version: 6.2
// Measurements, apart from the package so that nothing here reaches its users: `swift run -c release benchmarks`.
import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(name: "graphrun", path: ".."),
        .package(path: "../Sources/Kit"),
    ],
    targets: [
        .executableTarget(
            name: "benchmarks",
            dependencies: [
                .product(name: "Measured", package: "graphrun"), .product(name: "NodeKit", package: "Kit"),
            ],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .treatAllWarnings(as: .error),
            ])
    ]
)
