import Engine

/// The files that the server hands out and takes in, and where they lie.
struct FileService: Sendable {
    /// What `type` means in requests.
    enum Place: String, Sendable, CaseIterable { case input, output, temp }

    let options: ServeOptions
    let files: ModelFolders
    let users: Users
    let types: ModelTypes

    init(_ options: ServeOptions, _ files: ModelFolders) {
        self.options = options
        self.files = files
        types = ModelTypes(files)
        users = Users(folder: options.userFolder, hasMany: options.hasManyUsers)
    }

    /// The folder of a place; the one for previews is made when first asked for.
    func folder(_ place: Place) -> ConfinedFolder {
        switch place {
        case .input: ConfinedFolder(files.inputFolder)
        case .output: ConfinedFolder(files.outputFolder)
        case .temp: ConfinedFolder(files.temporaryFolder)
        }
    }
}

/// A file name with an annotation of its folder: "x.png [output]".
struct AnnotatedName {
    var name: String
    /// `nil` without an annotation.
    var place: FileService.Place?

    init(_ text: String) {
        for place in FileService.Place.allCases where text.hasSuffix(" [\(place.rawValue)]") {
            name = String(text.dropLast(place.rawValue.count + 3))
            self.place = place
            return
        }
        name = text
    }
}
