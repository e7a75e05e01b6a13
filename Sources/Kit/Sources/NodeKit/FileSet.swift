/// A name in a list of model files that stands for several files of another folder, offered when all of them are there.
public struct FileSet: Sendable, Hashable {
    /// The entry of the list: "taesd".
    public var name: String
    /// The folder type of the files: "vae_approx".
    public var folder: String
    /// The files' names without their extensions: "taesd_encoder", "taesd_decoder".
    public var stems: [String]

    public init(name: String, folder: String, stems: [String]) {
        self.name = name
        self.folder = folder
        self.stems = stems
    }

    /// The file sets that the reference offers in the lists of a folder type: the tiny autoencoders among the VAEs.
    public static func offered(in folder: String) -> [FileSet] {
        guard folder == "vae" else { return [] }
        return ["taesd", "taesdxl", "taesd3", "taef1"].map { name in
            FileSet(name: name, folder: "vae_approx", stems: [name + "_encoder", name + "_decoder"])
        }
    }

    /// The set of that name in the lists of a folder type.
    public static func named(_ name: String, in folder: String) -> FileSet? {
        offered(in: folder).first { $0.name == name }
    }

    /// The names of the set's files in its folder, in the order of ``stems``; `nil` when one is missing.
    public func fileNames(_ files: any NodeFiles) -> [String]? {
        let names = files.modelNames(folder)
        let found = stems.compactMap { stem in names.first { $0.hasPrefix(stem + ".") } }
        return found.count == stems.count ? found : nil
    }

    /// The full paths of the set's files.
    ///
    /// - Throws: ``NodeError`` naming the files when one is missing.
    public func paths(_ files: any NodeFiles) throws -> [String] {
        guard let names = fileNames(files) else {
            let wanted = stems.map { "\($0).safetensors" }.joined(separator: " and ")
            throw NodeError("\"\(name)\" needs the files \(wanted) in the folder \"\(folder)\" of the models")
        }
        return try names.map { try files.model(folder, $0) }
    }
}
