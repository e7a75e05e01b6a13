// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]
// Tests say `unsafe` nowhere: they may be blunt.
let testSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// The dynamic library every module and every plugin shares: JSON, Tensors, Diffusion, NodeKit.
let kit = Target.Dependency.product(name: "NodeKit", package: "Kit")

func module(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: swiftSettings)
}

func suite(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport", kit], resources: resources,
        swiftSettings: testSettings)
}

let package = Package(
    name: "graphrun",
    products: [
        .executable(name: "graphrun", targets: ["graphrun"]),
        // For Benchmarks/, a package of its own.
        .library(name: "Measured", targets: ["CPUBackend", "Models", "ModelMaker", "Planning", "Sampling"]),
        // For Fuzzing/, a package of its own.
        .library(name: "FuzzTarget", targets: ["FuzzTarget"]),
    ],
    dependencies: [
        .package(path: "Sources/Kit"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // Without the traits that pull in Foundation and swift-configuration.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CDNNL", providers: [.apt(["libdnnl-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
        .systemLibrary(name: "CWebP", pkgConfig: "libwebpdemux", providers: [.apt(["libwebp-dev"])]),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .target(name: "CPattern", dependencies: ["CPCRE2"], linkerSettings: [.linkedLibrary("pcre2-8")]),
        .target(name: "CSignals"),
        .target(name: "CMalloc"),
        .target(
            name: "CImages", dependencies: ["CPNG", "CJPEG", "CWebP"],
            cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))],
            linkerSettings: [
                .linkedLibrary("z"), .linkedLibrary("jpeg"), .linkedLibrary("webp"), .linkedLibrary("webpdemux"),
            ]),
        .target(
            name: "CKernels", dependencies: ["COpenBLAS", "CDNNL"],
            cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))],
            linkerSettings: [.linkedLibrary("openblas"), .linkedLibrary("dnnl")]),
        .target(name: "CSampling", cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]),

        // Below NodeKit: numbers, files, models.
        module("CPUBackend", [kit, "CKernels"]),
        module("Checkpoints", [kit, "Sampling"]),
        module("Text", [kit, .product(name: "HeapModule", package: "swift-collections")]),
        module("Layers", [kit, "Checkpoints"]),
        module("Models", [kit, "Layers", "Checkpoints", "Text", "Sampling", "Images"]),
        module("Sampling", [kit, "CSampling"]),
        module("Images", [kit, "CImages"]),
        module("Hashing", []),
        module("ModelMaker", [kit, "Hashing"]),

        // Above it: graphs, nodes, the program.
        module("Workflow", [kit, "Images", .product(name: "OrderedCollections", package: "swift-collections")]),
        module(
            "Engine",
            [
                kit, "Workflow", "Hashing", .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ]),
        module(
            "Planning",
            [kit, "Engine", "Workflow", .product(name: "OrderedCollections", package: "swift-collections")]),
        module(
            "CoreNodes", [kit, "CPattern", "Models", "Sampling", "Images", "Checkpoints", "Hashing"], path: "Nodes/Core"
        ),
        module("PackTools", [kit, "CoreNodes"], path: "Nodes/PackTools"),
        module("KJNodes", [kit, "Images", "CoreNodes", "PackTools"], path: "Nodes/KJNodes"),
        module("RgthreeNodes", [kit, "CoreNodes", "Images", "PackTools"], path: "Nodes/Rgthree"),
        module("CustomScriptsNodes", [kit, "CoreNodes", "Images", "PackTools"], path: "Nodes/CustomScripts"),
        module("JPSNodes", [kit], path: "Nodes/JPS"),
        module("TestingNodes", [kit], path: "Nodes/Testing"),
        module("ComfyrollNodes", [kit, "Images", "CoreNodes", "PackTools"], path: "Nodes/Comfyroll"),
        module("EssentialsNodes", [kit, "Images", "CoreNodes", "PackTools"], path: "Nodes/Essentials"),
        module("CropAndStitchNodes", [kit, "Images", "CoreNodes", "PackTools"], path: "Nodes/CropAndStitch"),
        module("XFluxNodes", [kit, "CoreNodes", "Models", "Sampling", "PackTools"], path: "Nodes/XFlux"),
        module("SmallPacks", [kit, "Images", "CoreNodes", "PackTools"], path: "Nodes/SmallPacks"),
        module("Plugins", [kit, "Engine", "Hashing"]),
        module(
            "Server",
            [
                kit, "CMalloc", "Engine", "Workflow", "Images", "Hashing",
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
                .product(name: "NIOExtras", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ]),
        module(
            "GraphRun",
            [
                kit, "Hashing", "Engine", "Planning", "Plugins", "Server", "Workflow", "Images", "CPUBackend", "Models",
                "Checkpoints",
                "ModelMaker",
                "CoreNodes", "CSignals", "KJNodes", "RgthreeNodes", "CustomScriptsNodes", "JPSNodes", "TestingNodes",
                "ComfyrollNodes", "EssentialsNodes", "CropAndStitchNodes", "XFluxNodes", "SmallPacks",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Sources/CLI"),
        module("FuzzTarget", [kit, "Engine", "Workflow"], path: "Tests/FuzzTarget"),
        .executableTarget(
            name: "graphrun", dependencies: ["GraphRun"], swiftSettings: swiftSettings,
            // Where `make install` puts libNodeKit.so.
            linkerSettings: [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "$ORIGIN/../lib/graphrun"])]),

        .target(
            name: "TestSupport", dependencies: [kit, "Checkpoints", "ModelMaker", "Sampling"],
            swiftSettings: testSettings),
        suite("KitTests", []),
        suite("CPUBackendTests", ["CPUBackend"]),
        suite("CheckpointsTests", ["Checkpoints"], resources: [.copy("Files")]),
        suite("TextTests", ["Text"], resources: [.copy("Files")]),
        suite("ModelMakerTests", ["ModelMaker", "Hashing", "Text"], resources: [.copy("Files")]),
        suite("SamplingTests", ["Sampling"], resources: [.copy("Files")]),
        suite("ImagesTests", ["Images"], resources: [.copy("Files")]),
        suite("WorkflowTests", ["Workflow", "Images"], resources: [.copy("Files")]),
        suite("EngineTests", ["Engine", "Workflow", "Hashing"]),
        suite("ProtocolTests", ["Engine", "Workflow", "CoreNodes", "TestingNodes", "Images"]),
        suite(
            "ModelsTests", ["Models", "Layers", "CPUBackend", "Checkpoints", "ModelMaker"], resources: [.copy("Files")]),
        suite(
            "NodesTests",
            [
                "CoreNodes", "KJNodes", "RgthreeNodes", "CustomScriptsNodes", "JPSNodes", "Images", "Sampling",
                "Checkpoints", "Models", "ModelMaker",
            ], resources: [.copy("Files")]),
        suite(
            "PackTests",
            [
                "CoreNodes", "PackTools", "KJNodes", "RgthreeNodes", "CustomScriptsNodes", "JPSNodes", "ComfyrollNodes",
                "EssentialsNodes", "CropAndStitchNodes", "XFluxNodes", "SmallPacks", "Images", "Sampling",
                "Checkpoints",
            ], resources: [.copy("Files")]),
        suite(
            "GoldenTests",
            [
                "Engine", "Workflow", "Text", "Checkpoints", "CPUBackend", "ModelMaker", "Models", "Sampling",
                "CoreNodes",
                "KJNodes",
                "RgthreeNodes",
                "CustomScriptsNodes", "JPSNodes",
            ], resources: [.copy("Cases")]),
        suite("CLITests", ["GraphRun", "graphrun"]),
        suite("FuzzTests", ["FuzzTarget"]),
        suite("PlanningTests", ["Planning", "CPUBackend", "CoreNodes", "Models", "ModelMaker", "Engine", "Workflow"]),
        suite("PluginTests", ["Plugins", "Hashing"]),
        suite(
            "ServerTests",
            [
                "Server", "Engine", "Workflow", "CoreNodes", "TestingNodes", "CPUBackend", "Images", "Hashing",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
    ]
)
