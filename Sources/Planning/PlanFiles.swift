import NodeKit

/// The files of an installation with another output folder: what a node writes while a run is planned goes where
/// previews go, and is removed at the end.
struct PlanFiles: NodeFiles {
    let files: any NodeFiles

    var outputFolder: String { files.temporaryFolder }
    var temporaryFolder: String { files.temporaryFolder }
    func model(_ folder: String, _ name: String) throws -> String { try files.model(folder, name) }
    func modelNames(_ folder: String) -> [String] { files.modelNames(folder) }
    func modelFolders(_ folder: String) -> [String] { files.modelFolders(folder) }
    func input(_ name: String) throws -> String { try files.input(name) }
    func inputNames() -> [String] { files.inputNames() }
    func fingerprint(path: String) throws -> String { try files.fingerprint(path: path) }
}
