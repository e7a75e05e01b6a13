import CNodeKit

/// Which NodeKit a program or a library of nodes was built with.
///
/// Two are compatible only when they are equal in everything but the version's digits: NodeKit is built without library
/// evolution, so that a plugin's code has sizes, offsets and inlined bodies of the NodeKit it was compiled against in it.
///
/// ``layout`` is the GNU build ID of `libNodeKit.so`, the linker's digest of everything in that file. A digest of the
/// exported symbols would miss a stored property added to a public struct, and a digest of the sources would have to be
/// generated before each build and would miss compiler flags. The build ID misses nothing, and reading it costs no file
/// access: it lies in the loaded library's memory. It also changes when only the inside of a function does; then plugins
/// are built again for nothing, which takes seconds.
public struct NodeKitVersion: Sendable, Hashable, CustomStringConvertible {
    /// Raised when source that compiled may not compile any more.
    public let major: Int
    /// Raised when something is added.
    public let minor: Int
    /// Raised for corrections.
    public let patch: Int
    /// Hexadecimal digits that are equal only for the same build of the library; empty when it has no build ID.
    public let layout: String
    /// The Swift compiler, to its exact source.
    public let compiler: String

    public init(major: Int, minor: Int, patch: Int, layout: String, compiler: String) {
        self.major = major
        self.minor = minor
        self.patch = patch
        self.layout = layout
        self.compiler = compiler
    }

    /// The NodeKit of this process.
    public static let current = NodeKitVersion(
        major: 1, minor: 0, patch: 0, layout: loadedBuildID(), compiler: unsafe String(cString: cnodekit_compiler()))

    /// Reads a ``description``; `nil` when it is none.
    public init?(_ text: String) {
        let parts = text.split(separator: ";", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].hasPrefix("NodeKit "), parts[1].hasPrefix(" layout "),
            parts[2].hasPrefix(" compiler ")
        else { return nil }
        let numbers = parts[0].dropFirst(8).split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2] else {
            return nil
        }
        self.init(
            major: major, minor: minor, patch: patch, layout: String(parts[1].dropFirst(8)),
            compiler: String(parts[2].dropFirst(10)))
    }

    /// `1.0.0`
    public var number: String { "\(major).\(minor).\(patch)" }

    /// `6.3.1`, or the whole ``compiler`` where it says something else.
    public var swiftVersion: String {
        guard compiler.hasPrefix("Swift "), let number = Int(compiler.dropFirst(6).prefix { $0.isNumber }) else {
            return compiler
        }
        return "\(number / 10000).\(number / 100 % 100).\(number % 100)"
    }

    /// `NodeKit 1.0.0; layout 3f…; compiler Swift 60301, Clang …`
    public var description: String { "NodeKit \(number); layout \(layout); compiler \(compiler)" }

    /// Why a library built with this NodeKit cannot be used with another; `nil` when it can.
    public func mismatch(with host: NodeKitVersion) -> String? {
        if host.layout.isEmpty {
            return "this program's libNodeKit.so has no build ID, so that libraries cannot be matched with it"
        }
        if (major, minor, patch) != (host.major, host.minor, host.patch) {
            return "it was built for NodeKit \(number), this program has NodeKit \(host.number)"
        }
        if compiler != host.compiler {
            let (own, other) = (swiftVersion, host.swiftVersion)
            return own == other
                ? "it was built with \(compiler), this program with \(host.compiler)"
                : "it was built with Swift \(own), this program with Swift \(other)"
        }
        if layout != host.layout {
            return "it was built for another build of NodeKit \(number) (layout \(layout.prefix(12)), this program has "
                + "\(host.layout.prefix(12)))"
        }
        return nil
    }

    /// The file that the process's NodeKit was loaded from; `nil` when the system does not tell.
    public static var libraryPath: String? {
        unsafe cnodekit_library_path().map { unsafe String(cString: $0) }
    }

    private static func loadedBuildID() -> String {
        // 20 bytes are a SHA-1; other linkers' IDs are shorter.
        var text = [CChar](repeating: 0, count: 129)
        let digits = unsafe text.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe cnodekit_build_id($0, buffer.count) } ?? 0
        }
        return String(decoding: text.prefix(digits).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
