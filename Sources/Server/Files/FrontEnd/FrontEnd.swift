/// An unpacked front end: the static files of the package `comfyui-frontend-package`.
struct FrontEnd: Sendable {
    let folder: ConfinedFolder

    /// - Parameter path: the folder with `index.html`, or that of the package around it.
    /// - Returns: `nil` when there is none in it.
    init?(_ path: String) {
        let candidates = [path, path + "/static", path + "/comfyui_frontend_package/static"].map(ConfinedFolder.init)
        guard
            let folder = candidates.first(where: { folder in
                (try? ConfinedName("index.html")).flatMap { try? folder.status($0) }?.kind == .file
            })
        else { return nil }
        self.folder = folder
    }

    /// The paths of the scripts that the editor loads as extensions: all below `extensions`.
    func extensionPaths() throws(FolderFault) -> [String] {
        do throws(FolderFault) {
            return try folder.entries(of: ConfinedName("extensions"), recursive: true)
                .filter { $0.status.kind == .file && ContentType.ending($0.path) == "js" }
                .map { "/extensions/" + $0.path }
        } catch {
            if error.code == .missing { return [] }
            throw error
        }
    }
}
