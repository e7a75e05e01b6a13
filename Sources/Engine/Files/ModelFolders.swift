import Glibc
public import NodeKit
import Synchronization
import Workflow

/// The files of an installation in ComfyUI's layout: a models folder with a subfolder per type, further folders from
/// `extra_model_paths.yaml`, an input and an output folder, and a folder for previews that is removed at the end.
public final class ModelFolders: NodeFiles {
    /// The models folder.
    public let modelsFolder: String
    public let inputFolder: String
    private let output: String
    private let extra: [ExtraModelPaths]
    private let digests: FileDigests?
    private let temporary = Mutex<String?>(nil)
    private let temporaryBase: String?

    /// - Parameters:
    ///   - models: ComfyUI's `models` folder, or the folder above it.
    ///   - output: made when something is written.
    ///   - extraModelPaths: files in the format of `extra_model_paths.yaml`; one of that name in the models folder or
    ///     above it is read anyway.
    ///   - digests: makes ``fingerprint(path:)`` depend on the content alone, as keys of a cache on disk need it;
    ///     otherwise files are known by size, time and place.
    ///   - temporary: where the folder for previews is made; `TMPDIR` or `/tmp` if absent.
    /// - Throws: ``FileError`` when one of those files cannot be read.
    public init(
        models: String, input: String, output: String, extraModelPaths: [String] = [], digests: FileDigests? = nil,
        temporary: String? = nil
    ) throws(FileError) {
        modelsFolder = Self.modelsFolder(in: models)
        inputFolder = input
        self.output = output
        self.digests = digests
        temporaryBase = temporary
        var files = extraModelPaths
        for folder in [modelsFolder, join(modelsFolder, "..")] {
            let file = join(folder, "extra_model_paths.yaml")
            if FileSystem.status(file)?.isFile == true { files.append(file) }
        }
        var read: [ExtraModelPaths] = []
        for file in files { read.append(try ExtraModelPaths(file: file)) }
        extra = read
    }

    deinit { removeTemporaryFolder() }

    /// A ComfyUI folder given instead of its models folder is understood.
    private static func modelsFolder(in path: String) -> String {
        let inner = join(path, "models")
        let known = ["checkpoints", "diffusion_models", "unet", "text_encoders", "clip", "vae", "loras"]
        let isModelsFolder = known.contains { FileSystem.status(join(path, $0))?.isDirectory == true }
        return !isModelsFolder && FileSystem.status(inner)?.isDirectory == true ? inner : path
    }

    // MARK: Models

    public func modelFolders(_ folder: String) -> [String] {
        let type = FolderTypes.canonical(folder)
        var first: [String] = []
        var last: [String] = []
        for section in extra.flatMap(\.sections) {
            let paths = section.folders.filter { $0.type == type }.map(\.path)
            if section.isDefault { first += paths } else { last += paths }
        }
        let own = FolderTypes.subfolders(of: type).map { join(modelsFolder, $0) }
        var seen: Set<String> = []
        return (first + own + last).filter { seen.insert($0).inserted }
    }

    /// The types that `extra_model_paths.yaml` files name, sorted.
    public var extraTypes: [String] { Set(extra.flatMap(\.sections).flatMap { $0.folders.map(\.type) }).sorted() }

    public func modelNames(_ folder: String) -> [String] {
        let type = FolderTypes.canonical(folder)
        var names: Set<String> = []
        for path in modelFolders(folder) {
            names.formUnion(FolderScan.files(below: path) { FolderTypes.accepts($0, type: type) })
        }
        return names.sorted()
    }

    public func model(_ folder: String, _ name: String) throws -> String {
        guard name.utf8.count <= FileName.maximumLength else { throw FileName.tooLong(name) }
        let folders = modelFolders(folder)
        let type = FolderTypes.canonical(folder)
        let relative = try FileName(name).relativePath
        if FolderTypes.accepts(relative, type: type) {
            for path in folders {
                // A backslash is a legal character of names here; a file that really has one comes first.
                for candidate in [name, relative] where FileSystem.status(join(path, candidate))?.isFile == true {
                    let found = join(path, candidate)
                    try refuseIfOutside(found, name: name)
                    return found
                }
            }
        }
        let known = modelNames(folder)
        let nearest = NearestName.find(relative, among: known).map { "; the nearest name there is \"\($0)\"" } ?? ""
        throw NodeError(
            "no file \"\(shortened(name))\" of type \(type) in \(folders.joined(separator: ", "))"
                + (known.isEmpty ? ", which have no such files at all" : nearest))
    }

    /// A link inside a models folder must not lead a workflow to files elsewhere. Folders that are links themselves are
    /// followed: they are what the user has said the models are in.
    private func refuseIfOutside(_ path: String, name: String) throws {
        let own = FileSystem.entries(modelsFolder)?.map { join(modelsFolder, $0) } ?? []
        let roots = [modelsFolder] + own + extra.flatMap { $0.sections.flatMap { $0.folders.map(\.path) } }
        guard let real = FileSystem.realPath(path) else { throw NodeError("file \"\(shortened(name))\" is gone") }
        guard !FileSystem.isInside(real, roots) else { return }
        let target = real.lastIndex(of: "/").map { String(real[..<$0]) } ?? real
        throw NodeError(
            "file \"\(shortened(name))\" is a link that leads out of the models folders; "
                + "to allow it, name the folder \(target.isEmpty ? "/" : target) in extra_model_paths.yaml")
    }

    // MARK: Input

    public func input(_ name: String) throws -> String {
        guard name.utf8.count <= FileName.maximumLength else { throw FileName.tooLong(name) }
        let (text, folder) = annotated(name)
        let relative = try FileName(text).relativePath
        guard let real = FileSystem.realPath(join(folder, relative)), FileSystem.status(real)?.isFile == true else {
            let nearest =
                NearestName.find(relative, among: inputNames()).map { "; the nearest name is \"\($0)\"" } ?? ""
            throw NodeError("no file \"\(shortened(relative))\" in \(folder)\(nearest)")
        }
        // A link inside the folder must not lead a workflow to files outside it.
        guard FileSystem.isInside(real, [folder]) else {
            throw NodeError("file \"\(shortened(relative))\" leads out of \(folder)")
        }
        return real
    }

    /// Splits "x.png [output]" into name and folder.
    private func annotated(_ name: String) -> (name: String, folder: String) {
        let marks: [(text: String, folder: String?)] = [
            ("[input]", inputFolder), ("[output]", output), ("[temp]", nil),
        ]
        for mark in marks where name.hasSuffix(mark.text) {
            let rest = name.dropLast(mark.text.count)
            return (String(rest.last == " " ? rest.dropLast() : rest), mark.folder ?? temporaryFolder)
        }
        return (name, inputFolder)
    }

    public func inputNames() -> [String] {
        (FileSystem.entries(inputFolder) ?? []).filter {
            FolderTypes.pictureExtensions.contains(FolderTypes.fileExtension($0))
                && FileSystem.status(join(inputFolder, $0))?.isFile == true
        }
    }

    public func fingerprint(path: String) throws -> String {
        if let digests { return try digests.digest(path: path) }
        guard let status = FileSystem.status(path) else { throw FileError(path, "cannot be read") }
        return "\(status.byteCount) \(status.modified) \(status.identity.device) \(status.identity.number)"
    }

    // MARK: Output

    /// Made when first asked for; where that fails, writing into it says why.
    public var outputFolder: String {
        FileSystem.makeFolder(output)
        return output
    }

    /// Makes the output folder now, so that a long run does not end in finding that nothing can be written.
    ///
    /// - Throws: ``FileError`` with the system's reason.
    public func checkOutputFolder() throws(FileError) {
        if !FileSystem.makeFolder(output), FileSystem.status(output)?.isDirectory != true {
            throw FileError(output, "cannot be made as the folder for pictures")
        }
        guard unsafe access(output, W_OK | X_OK) == 0 else { throw FileError(output, "cannot be written to") }
    }

    /// Made when first asked for.
    public var temporaryFolder: String {
        temporary.withLock { folder in
            if let folder { return folder }
            let base = temporaryBase ?? environmentVariable("TMPDIR") ?? "/tmp"
            if temporaryBase != nil { FileSystem.makeFolder(base) }
            let made = FileSystem.makeTemporaryFolder(join(base, "graphrun-"))
            folder = made
            return made ?? join(base, "graphrun-unavailable")
        }
    }

    /// Removes files that this process has begun to write into the output folder and `others`. Only for a process that
    /// ends at once: otherwise every writer removes its own.
    public func removeUnfinishedFiles(alsoIn others: [String] = []) {
        for folder in [output] + others { removeUnfinishedFiles(below: folder, depth: 0) }
    }

    private func removeUnfinishedFiles(below folder: String, depth: Int) {
        guard depth < 8 else { return }
        for name in FileSystem.entries(folder) ?? [] {
            let path = join(folder, name)
            if name.hasPrefix(AtomicFile.prefix) {
                FileSystem.removeTree(path)
            } else if !name.hasPrefix("."), FileSystem.status(path)?.isDirectory == true {
                removeUnfinishedFiles(below: path, depth: depth + 1)
            }
        }
    }

    /// Removes the folder for previews, if it was made.
    public func removeTemporaryFolder() {
        let folder = temporary.withLock { folder in
            defer { folder = nil }
            return folder
        }
        if let folder { FileSystem.removeTree(folder) }
    }
}
