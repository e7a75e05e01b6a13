import ArgumentParser
import Engine
import NodeKit

/// How much is kept.
struct CacheLimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The most that results on disk may take, as in 20G; 16G, or a quarter of the free disk, if absent.",
            valueName: "size"))
    var cacheSize: ByteCount?

    @Option(
        help: ArgumentHelp(
            "The most that results and models may take in memory beyond what runs: bytes as in 4G, or a share as in 30%. A VAE that would take more than these bytes for a picture works in tiles.",
            valueName: "size|percent"))
    var memory: MemoryShare = MemoryShare.standard
}

/// A number of bytes: "1500", "512K", "64M", "20G", "1T".
struct ByteCount: ExpressibleByArgument {
    var bytes: Int

    init?(argument: String) {
        var digits = argument.uppercased()
        if digits.hasSuffix("B") { digits.removeLast() }
        if digits.hasSuffix("I") { digits.removeLast() }
        var factor = 1.0
        for (letter, shift) in [("K", 10), ("M", 20), ("G", 30), ("T", 40)] where digits.hasSuffix(letter) {
            digits.removeLast()
            factor = Double(1 << shift)
        }
        guard let number = Double(digits), number.isFinite, number >= 0, number * factor < 9e18 else { return nil }
        bytes = Int(number * factor)
    }
}

/// Bytes, or a share of what the machine has available.
enum MemoryShare: ExpressibleByArgument {
    case bytes(Int)
    case share(Double)

    static let standard = MemoryShare.share(0.25)

    init?(argument: String) {
        if argument.hasSuffix("%") {
            guard let percent = Double(argument.dropLast()), (0...100).contains(percent) else { return nil }
            self = .share(percent / 100)
        } else {
            guard let count = ByteCount(argument: argument) else { return nil }
            self = .bytes(count.bytes)
        }
    }

    var defaultValueDescription: String {
        switch self {
        case .bytes(let bytes): String(bytes)
        case .share(let share): "\(Int(share * 100))%"
        }
    }

    /// Bytes that were asked for as such.
    var explicitBytes: Int? {
        if case .bytes(let bytes) = self { bytes } else { nil }
    }

    /// Bytes on this machine now.
    var byteCount: Int {
        switch self {
        case .bytes(let bytes): bytes
        case .share(let share): Int(Double(AvailableMemory.bytes()) * share)
        }
    }
}

extension Program {
    /// The results on disk; `nil` when nothing is kept.
    func store(_ folder: CacheFolderOptions, _ limits: CacheLimitOptions, _ registry: NodeRegistry) -> ResultStore? {
        let console = console
        return folder.folder.map { path in
            ResultStore(
                CacheFolder(path), byteLimit: limits.cacheSize?.bytes, types: registry.storable,
                warn: { console.warning($0) })
        }
    }
}
