internal import JSON

/// A folder of manifests and the small files that belong beside the checkpoints.
///
/// `models/**/NAME.ckpt.json` becomes `models/**/NAME.safetensors`; other files are copied.
public struct ManifestFolder: Sendable {
    /// Ending of a manifest's file name.
    public static let ending = ".ckpt.json"

    /// The folder that holds `models`. File entries of manifests are relative to it.
    public let root: String

    public init(_ root: String) { self.root = root }

    /// Writes what is missing or older than its manifest into `output/models`.
    ///
    /// - Parameters:
    ///   - seed: replaces every manifest's seed; everything is written then.
    ///   - only: writes only files whose path contains this.
    ///   - progress: called with the path of each checkpoint below `models` and its size in bytes, when it is written.
    ///   - isCancelled: asked now and then, on any thread.
    public func write(
        to output: String, seed: Int? = nil, only: String = "", progress: (String, Int) -> Void = { _, _ in },
        isCancelled: @Sendable () -> Bool = { false }
    ) throws(ManifestError) {
        var folders = [""]
        while let folder = folders.popLast() {
            for item in try Folder.contents(root + "/models" + folder) {
                let path = folder + "/" + item.name
                if item.isFolder {
                    folders.append(path)
                } else if item.name.hasSuffix(Self.ending) {
                    let name = String(path.dropFirst().dropLast(Self.ending.count)) + ".safetensors"
                    guard only.isEmpty || name.contains(only) else { continue }
                    let target = output + "/models/" + name
                    if seed == nil, let made = Folder.modified(target),
                        let wanted = Folder.modified(root + "/models" + path), made >= wanted
                    {
                        continue
                    }
                    let manifest = try Self.read(root + "/models" + path)
                    progress(
                        name, try manifest.write(to: target, seed: seed, files: root, isCancelled: isCancelled))
                } else if only.isEmpty || path.contains(only) {
                    let target = output + "/models" + path
                    try Folder.create(Folder.parent(of: target))
                    let file = try OutputFile(target)
                    try file.write(Folder.read(root + "/models" + path), at: 0)
                    try file.finish()
                }
            }
        }
    }

    /// Reads one manifest.
    public static func read(_ path: String) throws(ManifestError) -> Manifest {
        let bytes = try Folder.read(path)
        do {
            return try Manifest(parsing: JSON(parsing: bytes))
        } catch let error as JSONError {
            throw ManifestError(.malformed, "\(path): \(error)")
        } catch let error as ManifestError {
            throw ManifestError(error.code, "\(path): \(error)")
        } catch {
            throw ManifestError(.malformed, "\(path): \(error)")
        }
    }
}
