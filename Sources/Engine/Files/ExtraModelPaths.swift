/// ComfyUI's `extra_model_paths.yaml`: further folders for models.
///
/// Only what such files consist of is read: sections with `base_path`, `is_default` and folder types whose value is one
/// path, several lines after `|`, or a list of `- path` lines. Anything else of YAML is refused with its line.
///
/// ```yaml
/// comfyui:
///     base_path: /data/comfyui
///     is_default: true
///     checkpoints: models/checkpoints
///     text_encoders: |
///         models/text_encoders
///         models/clip
/// ```
public struct ExtraModelPaths: Sendable, Hashable {
    public struct Section: Sendable, Hashable {
        public var name: String
        /// Whether its folders are searched before those of `--models`.
        public var isDefault: Bool
        /// Full paths by folder type, in the order of the file.
        public var folders: [Folder]
    }

    public struct Folder: Sendable, Hashable {
        public var type: String
        public var path: String
    }

    public var sections: [Section]

    /// Reads a file.
    ///
    /// - Throws: ``FileError`` with the number of the line that is not understood.
    public init(file: String) throws(FileError) {
        let bytes = try FileSystem.read(file, limit: 1 << 20)
        let slash = file.lastIndex(of: "/")
        let folder = slash.map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
        try self.init(text: String(decoding: bytes, as: UTF8.self), file: file, relativeTo: folder)
    }

    /// - Parameters:
    ///   - file: its name, for messages.
    ///   - folder: where relative paths begin that have no `base_path`.
    public init(text: String, file: String, relativeTo folder: String) throws(FileError) {
        sections = try ExtraPathsReader(file: file).read(text).map { Self.section($0, relativeTo: folder) }
    }

    private static func section(_ read: ExtraPathsReader.Section, relativeTo folder: String) -> Section {
        let base = read.values.first { $0.key == "base_path" }?.lines.first.map(expanded)
        let root = base.map { join(folder, $0) } ?? folder
        var section = Section(name: read.name, isDefault: false, folders: [])
        for entry in read.values {
            switch entry.key {
            case "base_path": break
            case "is_default":
                section.isDefault = ["true", "yes", "on"].contains(entry.lines.first?.lowercased() ?? "")
            default:
                section.folders += entry.lines.map {
                    Folder(type: FolderTypes.canonical(entry.key), path: join(root, expanded($0)))
                }
            }
        }
        return section
    }
}

/// `path` seen from `folder`.
func join(_ folder: String, _ path: String) -> String {
    if path.hasPrefix("/") { return path }
    return folder.hasSuffix("/") ? folder + path : folder + "/" + path
}

/// A path with `~` and environment variables (`$NAME`, `${NAME}`) filled in; variables that are not set stay as they are.
func expanded(_ path: String) -> String {
    var out = ""
    var rest = path[...]
    if path == "~" || path.hasPrefix("~/"), let home = environmentVariable("HOME") {
        out = home
        rest = rest.dropFirst()
    }
    while let character = rest.first {
        if character == "$", let (name, end) = variable(rest), let value = environmentVariable(name) {
            out += value
            rest = rest[end...]
        } else {
            out.append(character)
            rest = rest.dropFirst()
        }
    }
    return out
}

/// The name of the variable with which a text begins, and where the text goes on.
private func variable(_ text: Substring) -> (name: String, end: Substring.Index)? {
    let rest = text.dropFirst()
    if rest.hasPrefix("{") {
        guard let close = rest.firstIndex(of: "}") else { return nil }
        return (String(rest[rest.index(after: rest.startIndex)..<close]), rest.index(after: close))
    }
    let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    return name.isEmpty ? nil : (String(name), name.endIndex)
}
