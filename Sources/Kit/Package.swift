// swift-tools-version: 6.2
// The public kit: what a custom node imports. It is a package of its own so that the host and every
// plugin share one dynamic library, and with it one copy of every type (see Sources/NodeKit docs).
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "Kit",
    products: [
        .library(name: "NodeKit", type: .dynamic, targets: ["JSON", "Tensors", "Diffusion", "NodeKit"])
    ],
    targets: [
        .systemLibrary(name: "CJSON", pkgConfig: "json-c", providers: [.apt(["libjson-c-dev"])]),
        .target(name: "CNumeric", cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]),
        .target(name: "CNodeKit", cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]),
        .target(name: "JSON", dependencies: ["CJSON"], swiftSettings: swiftSettings),
        .target(name: "Tensors", dependencies: ["CNumeric"], swiftSettings: swiftSettings),
        .target(name: "Diffusion", dependencies: ["JSON", "Tensors"], swiftSettings: swiftSettings),
        .target(
            name: "NodeKit", dependencies: ["JSON", "Tensors", "Diffusion", "CNodeKit"], swiftSettings: swiftSettings,
            // Plugins are matched with the library by its build ID (NodeKitVersion.layout): not left to the default of
            // the linker.
            linkerSettings: [.unsafeFlags(["-Xlinker", "--build-id=sha1"])]),
    ]
)
